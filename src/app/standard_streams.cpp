#include "app/standard_streams.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <iostream>
#include <streambuf>
#include <system_error>
#include <unistd.h>

#include "app/cli.h"

namespace helios::app {
namespace {

[[noreturn]] void fail_to_write() {
    // tidy: allow throw: a stream has no other way to end what prints to it
    throw std::system_error(errno, std::generic_category(), "can't write to standard output");
}

/// Unbuffered: stdio buffers, so that what fmt::print writes keeps its place.
class StandardOutput final : public std::streambuf {
protected:
    std::streamsize xsputn(const char* bytes, std::streamsize count) override {
        const auto wanted = static_cast<std::size_t>(count);
        errno = 0;
        if (wanted > 0 && std::fwrite(bytes, 1, wanted, stdout) != wanted) {
            fail_to_write();
        }
        return count;
    }
    int_type overflow(int_type c) override {
        const char byte = traits_type::to_char_type(c);
        xsputn(&byte, 1);
        return c;
    }
    int sync() override {
        errno = 0;
        if (std::fflush(stdout) != 0) {
            fail_to_write();
        }
        return 0;
    }
};

int complain_of_output(int error) {
    if (error == EPIPE) {
        return 2;  // `| head` has seen enough
    }
    if (error == EINTR) {  // a signal that ends us, while whoever reads was slow
        return complain({ErrorKind::stopping, "interrupted", ""});
    }
    return complain({ErrorKind::unavailable,
                     fmt::format("can't write to standard output{}{}", error == 0 ? "" : ": ",
                                 error == 0 ? "" : std::strerror(error)),
                     ""});
}

}  // namespace

void open_closed_streams() {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
        if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) {
            continue;
        }
        // The other way round than one would use them: nobody must think that he has read or
        // written something. Messages are the exception: who closes standard error doesn't want
        // them.
        const int mode = descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY;
        if (open("/dev/null", mode) != descriptor) {
            _exit(2);
        }
    }
}

void make_cout_throw() {
    static auto* const output =
        new StandardOutput;  // outlives what is printed while the process ends
    std::cout.rdbuf(output);
    std::cout.exceptions(std::ios::badbit);
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
