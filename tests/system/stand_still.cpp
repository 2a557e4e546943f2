/// Preloaded into the program by a test: while the file that STAND_STILL names is there, no call
/// that makes data durable returns, as on a disk that has stopped answering. What the program does
/// stays as it is shipped.

#include <cstdlib>
#include <dlfcn.h>
#include <unistd.h>

namespace {

void wait_while_it_stands() {
    static const char* const file = std::getenv("STAND_STILL");
    constexpr useconds_t pause = 10'000;
    while (file != nullptr && ::access(file, F_OK) == 0) {
        ::usleep(pause);
    }
}

}  // namespace

extern "C" {

int fsync(int fd) {
    static auto* const call = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "fsync"));
    wait_while_it_stands();
    return call(fd);
}
int fdatasync(int fd) {
    static auto* const call = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "fdatasync"));
    wait_while_it_stands();
    return call(fd);
}
}
