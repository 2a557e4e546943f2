#pragma once
/// Gets what vendors publish, in the background: a line of requests and one thread.

#include <functional>
#include <memory>

#include "base/result.h"
#include "sources/https_client.h"

namespace helios::sources {

/// Called once, on the fetcher's thread; on the caller's if the line is full or the end has come.
using FetcherDone = std::function<void(Result<HttpsAnswer>)>;

/// Thread-safe.
class Fetcher {
public:
    explicit Fetcher(HttpsOptions options);
    ~Fetcher();
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    /// Returns at once. As HttpsClient::perform; denied: another status than 200, exhausted: too
    /// many are waiting; stopping.
    void get(HttpsRequest request, FetcherDone done);

    /// Ends what is under way; what waits is answered `stopping`. Idempotent.
    void close();

    static constexpr std::size_t waiting_max = 64;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace helios::sources
