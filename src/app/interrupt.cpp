#include "app/interrupt.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <unistd.h>

#include "base/assert.h"

namespace helios::app {
namespace {

// Signal handlers reach nothing but these.
std::atomic<bool> raised_flag{false};
int pipe_ends[2] = {-1, -1};

bool hangup_is_ours = false;

void on_signal(int signal) {
    if (raised_flag.exchange(true) && signal == SIGINT) {
        end_at_once();
    }
    const char byte = 1;
    [[maybe_unused]] const auto written = write(pipe_ends[1], &byte, 1);
}

}  // namespace

void end_at_once() {
    constexpr std::string_view line =
        "helios: interrupted again: ending at once; what was acknowledged is durable\n";
    pollfd standard_error{STDERR_FILENO, POLLOUT, 0};
    if (poll(&standard_error, 1, 0) == 1 &&
        (standard_error.revents & POLLOUT) != 0) {  // a full pipe must not hold us
        [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
    }
    _exit(130);
}

Interrupt::Interrupt() {
    HELIOS_ASSERT(pipe_ends[0] == -1, "one Interrupt at a time");
    HELIOS_ASSERT(pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) == 0, "a pipe for signals");
    raised_flag = false;
    struct sigaction action{};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    struct sigaction hangup{};
    sigaction(SIGHUP, nullptr, &hangup);
    hangup_is_ours = hangup.sa_handler == SIG_DFL;
    if (hangup_is_ours) {
        sigaction(SIGHUP, &action, nullptr);
    }
}

Interrupt::~Interrupt() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    if (hangup_is_ours) {
        std::signal(SIGHUP, SIG_DFL);
    }
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    pipe_ends[0] = pipe_ends[1] = -1;
}

bool Interrupt::raised() const {
    return raised_flag;
}

void Interrupt::wait() const {
    while (!wait_for(std::chrono::hours(1))) {
    }
}

bool Interrupt::wait_for(Duration limit) const {
    if (!raised_flag) {
        pollfd waiting{pipe_ends[0], POLLIN, 0};
        poll(
            &waiting, 1,
            static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(limit).count()));
    }
    return raised_flag;
}

int Interrupt::descriptor() const {
    return pipe_ends[0];
}

bool Interrupt::wait_readable(int descriptor) const {
    while (!raised_flag) {  // the pipe holds a byte since the signal, so none is lost between the
                            // question and poll
        pollfd waiting[] = {{descriptor, POLLIN, 0}, {pipe_ends[0], POLLIN, 0}};
        if (poll(waiting, 2, -1) > 0 && waiting[0].revents != 0) {
            break;
        }
    }
    return !raised_flag;
}

}  // namespace helios::app
