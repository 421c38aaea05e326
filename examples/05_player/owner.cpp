// Makes a player, and lets her walk in a circle until she is out: owner.ts in C++.

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include "player.h"
#include "shared_object.hpp"

static volatile std::sig_atomic_t ended_by;

int main(int argc, char **argv)
try {
    const char *name = argc > 1 ? argv[1] : "shmkit-player";
    std::signal(SIGINT, [](int signal) { ended_by = signal; });
    std::signal(SIGTERM, [](int signal) { ended_by = signal; });
    std::setvbuf(stdout, nullptr, _IOLBF, 0);

    auto player = SharedObject<Player>::create(name);
    std::strcpy(player->name, "ada");
    player->team = Player_team_blue;
    player->flags.alive = 1;
    player->flags.level = 3;
    player->health = 100;
    std::printf("%s walks as \"%s\"\n", player->name, name);

    uint32_t hits = 0;
    for (int step = 1; ended_by == 0; step++) {
        player->position[0] = std::cos(step / 10.0);
        player->position[1] = std::sin(step / 10.0);
        player->steps.fetch_add(1); // pairs with the load of the peer: the position is complete
        if (player->hits.load() != hits) {
            hits = player->hits.load();
            std::printf("hit %u by %.16s: health %d\n", hits, player->hitBy, player->health);
            if (!player->flags.alive) break;
        }
        usleep(10000);
    }
    if (ended_by != 0) return 128 + ended_by;
    std::printf("%s is out\n", player->name);
    return 0;
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
