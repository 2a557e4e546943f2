#include "app/server_signals.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "app/interrupt.h"
#include "base/assert.h"

namespace helios::app {
namespace {

// Signal handlers reach nothing but these.
std::atomic<int> stop_signal{0};
int pipe_ends[2] = {-1, -1};

std::vector<int> taken;  // whose default action we replaced

void wake(int signal) {
    const int saved = errno;
    const auto byte = static_cast<unsigned char>(signal);
    [[maybe_unused]] const auto written = write(pipe_ends[1], &byte, 1);
    errno = saved;
}

void on_stop(int signal) {
    int none = 0;
    if (!stop_signal.compare_exchange_strong(none, signal) && signal == SIGINT) {
        end_at_once();
    }
    wake(signal);
}

/// A terminal that can hang up. Asked while it can still answer: when SIGHUP comes it is gone.
bool has_terminal() {
    const int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal >= 0) {
        close(terminal);
    }
    return terminal >= 0;
}

void take(int signal, void (*handler)(int)) {
    struct sigaction now{};
    if (sigaction(signal, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) {
        return;
    }
    struct sigaction action{};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (sigaction(signal, &action, nullptr) == 0) {
        taken.push_back(signal);
    }
}

}  // namespace

ServerSignals::ServerSignals() {
    HELIOS_ASSERT(pipe_ends[0] == -1, "one ServerSignals at a time");
    HELIOS_ASSERT(pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) == 0, "a pipe for signals");
    stop_signal = 0;
    for (const int signal : {SIGTERM, SIGINT}) {
        std::signal(signal, SIG_DFL);  // a shell without job control starts what stands behind &
                                       // with SIGINT ignored
        take(signal, on_stop);
    }
    for (const int signal : {SIGQUIT, SIGXCPU}) {
        take(signal, on_stop);
    }
    take(SIGHUP, has_terminal() ? on_stop : wake);
    for (const int signal :
         {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT}) {
        take(signal, wake);
    }
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) {
        take(signal, wake);
    }
}

ServerSignals::~ServerSignals() {
    for (const int signal : taken) {
        std::signal(signal, SIG_DFL);
    }
    taken.clear();
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    pipe_ends[0] = pipe_ends[1] = -1;
}

std::optional<int> ServerSignals::stop() const {
    const int signal = stop_signal;
    return signal == 0 ? std::nullopt : std::optional(signal);
}

std::vector<int> ServerSignals::wait(Duration limit) const {
    pollfd waiting{pipe_ends[0], POLLIN, 0};
    poll(&waiting, 1,
         static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(limit).count()));
    std::vector<int> told;
    unsigned char bytes[512];
    for (ssize_t got = 0; (got = read(pipe_ends[0], bytes, sizeof bytes)) > 0;) {
        for (const int signal : std::vector<int>(bytes, bytes + got)) {
            if (stop() != signal && std::find(told.begin(), told.end(), signal) == told.end()) {
                told.push_back(signal);
            }
        }
    }
    return told;
}

int ServerSignals::exit_code(int signal) {
    return signal == SIGTERM || signal == SIGINT ? 0 : 128 + signal;
}

std::string ServerSignals::name(int signal) {
    if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
        return fmt::format("SIGRTMIN+{}", signal - SIGRTMIN);
    }
    const char* abbreviation = sigabbrev_np(signal);
    return abbreviation == nullptr ? fmt::format("signal {}", signal)
                                   : fmt::format("SIG{}", abbreviation);
}

}  // namespace helios::app
