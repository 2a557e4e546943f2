/// Preloaded into the program by a test: kills it after the n-th call that changes files of the
/// state in the course of the first checkpoint, so that every step of one can be its last. What the
/// program does stays as it is shipped.
///
/// STOP_AT_CALL is n. Counted from the first table on that a flush creates, up to the checkpoint
/// after this one.

#include <atomic>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace {

std::atomic<long> calls = 0;
std::atomic<bool> begun = false;
std::atomic<int> checkpoints = 0;

long wanted() {
    static const char* const text = std::getenv("STOP_AT_CALL");
    static const long number = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
    return number;
}

/// After the call.
void count(const char* call, std::string_view path) {
    if (wanted() == 0 || !begun || checkpoints > 1 ||
        path.find("/state/") == std::string_view::npos) {
        return;
    }
    if (++calls == wanted()) {
        std::fprintf(stderr, "stopped after %s %.*s\n", call, static_cast<int>(path.size()),
                     path.data());
        ::kill(::getpid(), SIGKILL);
    }
}

std::string path_of(int fd) {
    char path[4096];
    const auto n = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
    return n > 0 ? std::string(path, static_cast<std::size_t>(n)) : std::string();
}

template <class Function>
Function* real(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int open_and_count(const char* name, const char* path, int flags, mode_t mode) {
    static auto* const open = real<int(const char*, int, ...)>("open");
    static auto* const open64 = real<int(const char*, int, ...)>("open64");
    const int fd = (std::string_view(name) == "open" ? open : open64)(path, flags, mode);
    if (fd >= 0 && (flags & O_CREAT) != 0) {
        const std::string_view made = path;
        if (made.find("/state/") != std::string_view::npos && made.ends_with(".sst")) {
            begun = true;
        }
        count("create", made);
    }
    return fd;
}

mode_t mode_of(int flags, va_list more) {
    return (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_and_count("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_and_count("open64", path, flags, mode);
}
int fsync(int fd) {
    static auto* const call = real<int(int)>("fsync");
    const int done = call(fd);
    count("fsync", path_of(fd));
    return done;
}
int fdatasync(int fd) {
    static auto* const call = real<int(int)>("fdatasync");
    const int done = call(fd);
    count("fdatasync", path_of(fd));
    return done;
}
int rename(const char* from, const char* to) noexcept {
    static auto* const call = real<int(const char*, const char*)>("rename");
    const int done = call(from, to);
    count("rename", to);
    return done;
}
int link(const char* from, const char* to) noexcept {
    static auto* const call = real<int(const char*, const char*)>("link");
    const int done = call(from, to);
    count("link", to);
    return done;
}
int mkdir(const char* path, mode_t mode) noexcept {
    static auto* const call = real<int(const char*, mode_t)>("mkdir");
    const int done = call(path, mode);
    if (begun && std::string_view(path).find(".new") != std::string_view::npos) {
        ++checkpoints;
    }
    count("mkdir", path);
    return done;
}
int unlink(const char* path) noexcept {
    static auto* const call = real<int(const char*)>("unlink");
    const int done = call(path);
    count("unlink", path);
    return done;
}
int rmdir(const char* path) noexcept {
    static auto* const call = real<int(const char*)>("rmdir");
    const int done = call(path);
    count("rmdir", path);
    return done;
}
int unlinkat(int fd, const char* path, int flags) noexcept {
    static auto* const call = real<int(int, const char*, int)>("unlinkat");
    const std::string in = path[0] == '/' ? std::string() : path_of(fd) + "/";
    const int done = call(fd, path, flags);
    count("unlinkat", in + path);
    return done;
}
}
