// Looks at the player of an owner, and hits her until she is out: peer.ts with Boost.Interprocess.

#include <cstdio>

#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>

#include "hit.hpp"

namespace ipc = boost::interprocess;

/// Waits until there is a player. Never `open_or_create` and `truncate()`, as many examples do: that
/// would cut off what the library keeps behind the struct.
static ipc::mapped_region wait_for(const char *name)
{
    while (true) {
        try {
            ipc::shared_memory_object memory(ipc::open_only, name, ipc::read_write);
            ipc::offset_t size = 0;
            if (memory.get_size(size) && size > 0) { // if not, somebody is just making it
                if (size < ipc::offset_t(sizeof(Player))) throw std::runtime_error("no player");
                return ipc::mapped_region(memory, ipc::read_write, 0, sizeof(Player));
            }
        } catch (const ipc::interprocess_exception &error) {
            if (error.get_error_code() != ipc::not_found_error) throw;
        }
        usleep(10000);
    }
}

int main(int argc, char **argv)
try {
    const ipc::mapped_region region = wait_for(argc > 1 ? argv[1] : "shmkit-player");
    hit(*static_cast<Player *>(region.get_address()), "Boost");
    return 0;
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
