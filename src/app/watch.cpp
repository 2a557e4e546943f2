#include "app/watch.h"

#include "base/pause.h"
#include "base/thread_name.h"

namespace helios::app {
namespace {

constexpr Duration clocks_every = std::chrono::milliseconds(100);
constexpr Duration reading_every =
    std::chrono::milliseconds(50);    // between turns; also the grain of deadlines
constexpr int readings_per_sign = 5;  // of life: every 250 ms

}  // namespace

Watch::Watch(reconcile::Presence& presence, http::Server& server, log::Log& log)
    : presence_(presence), server_(server), log_(log) {
    presence_.expect_reading();
    presence_.expect_turns();
    clocks_ = std::jthread([this](const std::stop_token& stop) { look_at_clocks(stop); });
    life_ = std::jthread([this](const std::stop_token& stop) { show_life(stop); });
}

void Watch::stop() {
    for (auto* thread : {&clocks_, &life_}) {
        if (thread->joinable()) {
            thread->request_stop();
            thread->join();
        }
    }
    presence_.expect_turns(false);
}

void Watch::look_at_clocks(const std::stop_token& stop) {
    name_this_thread("clocks");
    while (!stop.stop_requested()) {
        presence_.turn();
        pause_for(stop, clocks_every);
    }
}

void Watch::show_life(const std::stop_token& stop) {
    name_this_thread("life");
    for (int n = 0; !stop.stop_requested(); ++n) {
        if (!reading_->exchange(true)) {
            server_.turn([reading = reading_, &presence = presence_, began = log_.now()] {
                presence.has_read(began);
                reading->store(false);
            });
        }
        if (n % readings_per_sign == 0) {
            log_.show_life(presence_.sign_of_life());
        }
        pause_for(stop, reading_every);
    }
}

}  // namespace helios::app
