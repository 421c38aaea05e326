// Looks at the player of an owner, and hits her until she is out: peer.ts in C++.

#include <cstdio>
#include <system_error>

#include "hit.hpp"
#include "shared_object.hpp"

/// Waits until there is a player.
static SharedObject<Player> wait_for(const char *name)
{
    while (true) {
        try {
            return SharedObject<Player>::open(name);
        } catch (const std::system_error &error) {
            if (error.code() != std::errc::no_such_file_or_directory &&
                error.code() != std::errc::resource_unavailable_try_again) throw;
        }
        usleep(10000);
    }
}

int main(int argc, char **argv)
try {
    auto player = wait_for(argc > 1 ? argv[1] : "shmkit-player");
    hit(*player, "C++");
    return 0;
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
