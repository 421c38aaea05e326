// What a peer does with a player, however it has got at the memory.

#pragma once

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include <unistd.h>

#include "player.h"

/// Waits for ten steps of the player.
inline void ten_steps(const Player &player)
{
    const uint32_t goal = player.steps.load() + 10;
    for (int waits = 0; player.steps.load() < goal; waits++) {
        if (waits == 500) throw std::runtime_error("the player does not move: her owner has gone");
        usleep(10000);
    }
}

/// Hits the player until she is out.
inline void hit(Player &player, const char *by)
{
    do {
        ten_steps(player);
        std::printf("%.32s, team %s, at (%.2f, %.2f), health %d\n", player.name,
                    player.team == Player_team_blue ? "blue" : "red", player.position[0],
                    player.position[1], player.health);
        player.health = std::max(0, player.health - 40);
        player.flags.alive = player.health > 0;
        std::strncpy(player.hitBy, by, sizeof player.hitBy - 1);
        player.hits.fetch_add(1); // pairs with the load of the owner: the fields are complete
    } while (player.flags.alive);
}
