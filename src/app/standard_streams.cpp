#include "app/standard_streams.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>

#include "app/cli.h"

namespace helios::app {
namespace {

int complain_of_output(int error) {
    if (error == EPIPE) {
        return 2;  // `| head` has seen enough
    }
    return complain(
        {ErrorKind::unavailable,
         fmt::format("can't write to standard output{}{}", error == 0 ? "" : ": ", error == 0 ? "" : std::strerror(error)), ""});
}

}  // namespace

void open_closed_streams() {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
        if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) {
            continue;
        }
        // The other way round than one would use them: nobody must think that he has read or written something. Messages are
        // the exception: who closes standard error doesn't want them.
        const int mode = descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY;
        if (open("/dev/null", mode) != descriptor) {
            _exit(2);
        }
    }
}

int finish_output(int exit_code) {
    errno = 0;
    const bool flushed = std::fflush(stdout) == 0;
    const int error = errno;
    return flushed && std::ferror(stdout) == 0 ? exit_code : complain_of_output(error);
}

int complain_of(const std::exception& error) {
    const auto* system = dynamic_cast<const std::system_error*>(&error);
    if (std::ferror(stdout) != 0 || (system != nullptr && system->code().value() == EPIPE)) {
        return complain_of_output(system == nullptr ? 0 : system->code().value());
    }
    return complain({ErrorKind::unavailable, error.what(), ""});
}

}  // namespace helios::app
