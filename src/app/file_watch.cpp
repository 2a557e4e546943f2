#include "app/file_watch.h"

#include "base/pause.h"
#include "base/thread_name.h"

namespace helios::app {

FileWatch::FileWatch(std::vector<Look> looks, Duration interval, telemetry::Telemetry& telemetry)
    : telemetry_(telemetry) {
    for (auto& look : looks) {
        watched_.push_back({std::move(look), {}});
    }
    thread_ = std::jthread([this, interval](const std::stop_token& stop) {
        name_this_thread("files");
        while (!stop.stop_requested()) {
            turn();
            pause_for(stop, interval);
        }
    });
}

void FileWatch::stop() {
    if (thread_.joinable()) {
        thread_.request_stop();
        thread_.join();
    }
}

void FileWatch::turn() {
    for (auto& [look, last] : watched_) {
        Status now = look.look();
        if (!now && (last || last.error().what != now.error().what)) {
            telemetry_.logger.error(
                "app", "what the server has opened is not as it was",
                {{"of", look.name}, {"what", now.error().what}, {"hint", now.error().hint}});
        }
        if (now && !last) {
            telemetry_.logger.info("app", "what the server has opened is there again",
                                   {{"of", look.name}});
        }
        last = std::move(now);
    }
}

}  // namespace helios::app
