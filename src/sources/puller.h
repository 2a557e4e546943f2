#pragma once
/// Fetches what waits in a queue of a cloud, hands each message on as the request with which that
/// cloud would have pushed it, and deletes it there once it is kept here.
///
/// At least once, as the cloud sees it: what was not deleted comes again and is a duplicate then.
/// Knows no gateway and no protocol: a queue is a PullQueue, one file pair per kind.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"
#include "telemetry/telemetry.h"

namespace helios::sources {

/// What became of a message that was handed on.
enum class Delivered : std::uint8_t {
    kept,     ///< durable: as an event, as one that was there already, or in quarantine
    refused,  ///< not stored, because of us: it has to come again
};
/// Called once, on any thread.
using DeliveredDone = std::move_only_function<void(Delivered)>;
/// Takes a message in and returns at once. Called on many threads.
using Deliver = std::function<void(http::Request, DeliveredDone)>;

struct PulledMessage {
    http::Request request;
    std::string handle;           ///< the cloud's name of this delivery
    std::optional<Instant> sent;  ///< by the cloud's clock; absent: not known
    bool again = false;           ///< it was delivered before: its age says nothing of the queue's
};

struct Received {
    std::vector<PulledMessage> messages;
    bool drained = true;  ///< the queue says that nothing else waited
};

/// What a queue did with handles.
struct Settled {
    std::size_t done = 0;
    std::size_t failed = 0;
    std::string why;  ///< of the first that failed
};

/// One receiver's way to a queue. Not thread-safe. Errors say whether to slow down (exhausted), try
/// later (unavailable, timeout), or that a person must look (denied, not_found, invalid, corrupt);
/// stopping: it was told to end.
class PullQueue {
public:
    virtual ~PullQueue() = default;

    /// Waits for messages as long as the cloud lets it, some 20 s; none: nothing came. They are
    /// ours for longer than renew_every(), and from then on as long as they are renewed.
    virtual Result<Received> receive() = 0;
    virtual Duration renew_every() const = 0;

    /// Handles of receive(), as many as there were. An error is of all of them.
    virtual Result<Settled> remove(const std::vector<std::string>& handles) = 0;
    virtual Result<Settled> renew(const std::vector<std::string>& handles) = 0;
    /// They may come again at once, to whoever asks.
    virtual Result<Settled> release(const std::vector<std::string>& handles) = 0;

    /// How many messages wait; absent: this kind of queue does not say.
    virtual Result<std::optional<std::uint64_t>> backlog() = 0;
};

/// A way to the queue for one more receiver. `stop`: set, it ends a receive() within a second, and
/// nothing else; outlives the queue.
using OpenQueue = std::function<std::unique_ptr<PullQueue>(const std::atomic<bool>* stop)>;

/// What a person asks of a queue that is fetched.
struct PullState {
    std::optional<std::uint64_t> lag;  ///< messages that wait
    std::optional<Duration> oldest;    ///< age of the oldest that was received last; 0: none waited
    std::string last_error;            ///< why it can't be fetched now; empty: it can
};

struct PullParts {
    std::string source;  ///< "aws": names it in metrics, logs, and to `behind`
    std::size_t receivers = 1;
    /// A queue that can't be reached for longer, or whose messages are older, is behind.
    Duration behind_after = std::chrono::seconds(1);
    OpenQueue open;
    Deliver deliver;
    std::function<bool()> may_receive;  ///< whether messages would be taken in; cheap
    /// Told once that we are behind, and once, when all that was sent before has been handed on and
    /// kept, that we are not any more. On a receiver's thread.
    std::function<void(bool)> behind;
    telemetry::Telemetry& telemetry;
    const Clock& clock;
    Duration pause_min = std::chrono::milliseconds(200);  ///< after a failure, doubled by the next
    Duration pause_max = std::chrono::seconds(30);
    Duration look_every = std::chrono::seconds(10);  ///< at the backlog
};

/// Thread-safe. Telemetry and clock outlive it; what its parts call must work until stop().
class Puller {
public:
    explicit Puller(PullParts parts);
    ~Puller();  ///< stops
    Puller(const Puller&) = delete;
    Puller& operator=(const Puller&) = delete;

    /// Call once.
    void start();
    /// Asks for no more from now on, and returns at once.
    void begin_to_stop();
    /// Asks for no more, waits until what was handed on is decided, deletes what is kept. A long
    /// poll ends within a second. Idempotent.
    void stop();

    const std::string& source() const;
    PullState state() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace helios::sources
