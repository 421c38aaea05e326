// A struct in POSIX shared memory, for C++17: SharedObject<T> of TypeScript, written by hand.
//
// The struct is at offset 0 of the file. What TypeScript has made is longer: behind the struct lies
// what the library keeps about it. So nothing here calls ftruncate(), which would cut that off:
// open() takes the file as it is, and create() makes a new one, or fails.

#pragma once

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

template <typename T>
class SharedObject {
public:
    /// Attaches to an object, whoever has made it.
    static SharedObject open(const std::string &name)
    {
        return SharedObject(name, O_RDWR, false);
    }

    /// Makes an object, all of it zero. Its name goes with this handle.
    static SharedObject create(const std::string &name)
    {
        return SharedObject(name, O_RDWR | O_CREAT | O_EXCL, true);
    }

    SharedObject(SharedObject &&other) noexcept
        : name_(std::exchange(other.name_, "")), value_(std::exchange(other.value_, nullptr))
    {
    }
    SharedObject &operator=(SharedObject &&) = delete;

    ~SharedObject()
    {
        if (!name_.empty()) shm_unlink(name_.c_str());
        if (value_ != nullptr) munmap(value_, sizeof(T));
    }

    T *operator->() const { return value_; }
    T &operator*() const { return *value_; }

private:
    SharedObject(const std::string &name, int flags, bool created)
    {
        const std::string path = "/" + name;
        const int fd = shm_open(path.c_str(), flags, 0600);
        if (fd < 0) throw error(errno, "shm_open " + path);
        int reason = 0;
        if (created) {
            name_ = path;
            reason = posix_fallocate(fd, 0, sizeof(T)); // as ftruncate, but with memory behind it
        } else {
            struct stat status;
            if (fstat(fd, &status) < 0) reason = errno;
            else if (status.st_size == 0) reason = EAGAIN; // somebody is just making it
            // Touching what is behind the end of the file would end the process by SIGBUS.
            else if (status.st_size < static_cast<off_t>(sizeof(T))) reason = EINVAL;
        }
        if (reason == 0) {
            void *memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (memory == MAP_FAILED) reason = errno;
            else value_ = static_cast<T *>(memory);
        }
        close(fd);
        if (reason == 0) return;
        if (created) shm_unlink(path.c_str());
        throw error(reason, "attach to " + path);
    }

    static std::system_error error(int reason, const std::string &what)
    {
        return std::system_error(reason, std::generic_category(), what);
    }

    std::string name_; // to be removed; empty when this handle has not created it
    T *value_ = nullptr;
};
