// Usage: ftok PATH NUMBER
// Prints the key of a file and a number, unsigned.

#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>

int main(int argc, char **argv)
{
    return argc == 3 && printf("%u\n", (unsigned)ftok(argv[1], atoi(argv[2]))) > 0 ? 0 : 1;
}
