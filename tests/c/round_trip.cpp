// tests/c/round_trip.h with Boost.Interprocess.
#include "round_trip.h"

#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <string>

namespace ipc = boost::interprocess;

static ipc::mapped_region regions[LAYOUTS];
static std::string created[LAYOUTS];

static void *attach(int layout, const char *name, size_t new_size, size_t *file_size) {
  ipc::shared_memory_object object;
  if (new_size > 0) {
    object = ipc::shared_memory_object(ipc::create_only, name, ipc::read_write, 0600);
    object.truncate(static_cast<ipc::offset_t>(new_size));
    created[layout] = name;
  } else {
    object = ipc::shared_memory_object(ipc::open_only, name, ipc::read_write);
  }
  ipc::offset_t size = 0;
  if (!object.get_size(size)) abort();
  *file_size = static_cast<size_t>(size);
  regions[layout] = ipc::mapped_region(object, ipc::read_write);
  return regions[layout].get_address();
}

static void detach(int layout) {
  regions[layout] = ipc::mapped_region();
  if (created[layout].empty()) return;
  if (!ipc::shared_memory_object::remove(created[layout].c_str())) abort();
  created[layout].clear();
}
