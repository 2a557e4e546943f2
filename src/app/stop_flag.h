#pragma once
/// Ctrl-C as a flag that work on other threads can watch.

#include <atomic>
#include <thread>

#include "app/interrupt.h"

namespace helios::app {

/// Sets the flag when a signal comes, for as long as it lives.
class StopFlag {
public:
    StopFlag() : watcher_([this](const std::stop_token& token) { watch(token); }) {}
    const std::atomic<bool>& raised() const { return raised_; }
    const Interrupt& interrupt() const { return interrupt_; }

private:
    void watch(const std::stop_token& token) {
        while (!token.stop_requested() && !raised_) {
            raised_ = interrupt_.wait_for(std::chrono::milliseconds(100));
        }
    }
    Interrupt interrupt_;
    std::atomic<bool> raised_{false};
    std::jthread watcher_;
};

}  // namespace helios::app
