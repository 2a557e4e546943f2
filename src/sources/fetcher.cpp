#include "sources/fetcher.h"

#include <deque>
#include <fmt/format.h>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "base/thread_name.h"

namespace helios::sources {
namespace {

constexpr int ok = 200;

Result<HttpsAnswer> only_good(Result<HttpsAnswer> answer, const HttpsRequest& request) {
    if (answer && answer->status != ok) {
        return fail(ErrorKind::denied,
                    fmt::format("{}:{} answers {}", request.host, request.port, answer->status));
    }
    return answer;
}

}  // namespace

struct Fetcher::State {
    explicit State(HttpsOptions options) : client(std::move(options), &stop) {}

    void run() {
        name_this_thread("fetch");
        while (true) {
            std::pair<HttpsRequest, FetcherDone> next;
            {
                MutexLock lock(mutex);
                changed.wait(lock,
                             [&]() HELIOS_REQUIRES(mutex) { return closed || !line.empty(); });
                if (line.empty()) {
                    return;
                }
                next = std::move(line.front());
                line.pop_front();
            }
            if (stop.load(std::memory_order_relaxed)) {
                next.second(fail(ErrorKind::stopping, "stopping"));
                continue;
            }
            next.second(only_good(client.perform(next.first), next.first));
        }
    }

    std::atomic<bool> stop{false};
    HttpsClient client;
    Mutex mutex;
    Condition changed;
    std::deque<std::pair<HttpsRequest, FetcherDone>> line HELIOS_GUARDED_BY(mutex);
    bool closed HELIOS_GUARDED_BY(mutex) = false;
    std::jthread thread;
};

Fetcher::Fetcher(HttpsOptions options) : state_(std::make_unique<State>(std::move(options))) {
    state_->thread = std::jthread([state = state_.get()] { state->run(); });
}

Fetcher::~Fetcher() {
    close();
}

void Fetcher::get(HttpsRequest request, FetcherDone done) {
    Error why;
    {
        const MutexLock lock(state_->mutex);
        if (state_->closed) {
            why = {ErrorKind::stopping, "stopping", ""};
        } else if (state_->line.size() >= waiting_max) {
            why = {ErrorKind::exhausted, "too much waits to be fetched", ""};
        } else {
            state_->line.emplace_back(std::move(request), std::move(done));
            state_->changed.notify_one();
            return;
        }
    }
    done(fail(std::move(why)));
}

void Fetcher::close() {
    state_->stop.store(true, std::memory_order_relaxed);
    {
        const MutexLock lock(state_->mutex);
        state_->closed = true;
        state_->changed.notify_all();
    }
    if (state_->thread.joinable()) {
        state_->thread.join();
    }
}

}  // namespace helios::sources
