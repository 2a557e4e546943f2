#pragma once
/// One connection's turn: reading, handing out, answering in order; and the event loop that it
/// lives on. Private to the room.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "http/input.h"
#include "http/outgoing.h"
#include "http/proxy_header.h"
#include "http/read_lag.h"
#include "http/request_reader.h"
#include "http/serving.h"
#include "http/sockets.h"
#include "http/stream.h"
#include "http/websocket_session.h"

namespace helios::http {

inline constexpr Duration never = Duration::max();
/// A tick that comes this much late: the process, or the machine, stood still.
inline constexpr Duration standstill_min = std::chrono::milliseconds(500);

/// Reading on after a final answer, so that it is not lost to a reset.
inline constexpr Duration linger_time = std::chrono::seconds(2);

class Connection;

/// A turn of accepting and reading: over when nobody holds it any more.
struct Turn {
    explicit Turn(std::function<void()> d) : done(std::move(d)) {}
    ~Turn() { done(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    std::function<void()> done;
};

/// Answers given on other threads, on their way to an I/O thread. Outlives the thread: late answers
/// find it closed.
class Inbox {
public:
    struct Item {
        std::shared_ptr<Connection> connection;
        std::uint64_t sequence;
        Response response;
    };

    explicit Inbox(asio::io_context& context) : context_(&context) {}

    void push(Item item) {
        const MutexLock lock(mutex_);
        if (context_ == nullptr) {
            return;
        }
        items_.push_back(std::move(item));
        if (items_.size() == 1) {
            asio::post(*context_, [this] { deliver(); });
        }
    }
    void close() {
        const MutexLock lock(mutex_);
        context_ = nullptr;
    }

private:
    void deliver();

    Mutex mutex_;
    asio::io_context* context_ HELIOS_GUARDED_BY(mutex_);  ///< nullptr: closed
    std::vector<Item> items_ HELIOS_GUARDED_BY(mutex_);
    std::vector<Item> delivering_;
    std::vector<Connection*> touched_;
};

/// One thread, its event loop and its connections.
struct Io {
    explicit Io(std::shared_ptr<Serving> s)
        : shared(std::move(s)), inbox(std::make_shared<Inbox>(context)) {}

    void start();  ///< its thread
    void tick();   ///< deadlines, the date, sampled metrics; again and again
    /// Sends itself a message that is read in turn with what senders send, unless one is under way.
    void measure_lag();
    void adopt(Socket socket);
    void remove(Connection& connection);
    /// From, and to, another Io.
    void let_go(Connection& connection);
    void take_in(std::shared_ptr<Connection> connection);
    /// Where requests are served that are no probes; nullptr: here.
    Io* next_home() { return homes.empty() ? nullptr : homes[next_home_at++ % homes.size()]; }
    /// When its timer was due last.
    Duration ticked_at() const { return Duration(ticked_ns.load(std::memory_order_relaxed)); }
    void drain();  ///< WebSockets and half-read heads; other requests are drained as they come
    void stop_waiting();
    void shut_down();
    /// Connections with bytes that nobody has read yet keep the turn until they have been.
    void take_turn(const std::shared_ptr<Turn>& turn);

    std::shared_ptr<Serving> shared;
    asio::io_context context{1};
    asio::executor_work_guard<Executor> work{context.get_executor()};
    asio::steady_timer timer{context};
    ReadLag lag;
    Descriptor bell{context};  ///< an eventfd: behind the sockets that were readable before it
    std::uint64_t rung = 0;    ///< what is read from it
    std::shared_ptr<Inbox> inbox;
    std::vector<std::shared_ptr<Connection>> connections;
    std::string date;
    std::int64_t date_second = -1;
    Duration next_tick = never;  ///< when the timer is due
    bool ended = false;          ///< shut down: takes no connection any more
    std::vector<Io*> homes;      ///< of the one that accepts: all others
    std::size_t next_home_at = 0;
    std::atomic<std::int64_t> ticked_ns{0};
    std::thread thread;
};

/// Everything on its I/O thread, but answer(). Requests are parsed one after another, handed out,
/// and answered in order: each holds a slot from its last byte until its answer has been put in
/// line. It begins on the thread that accepts, and stays there as long as it asks for probes alone,
/// so that those wait for nobody's requests; before the first other request it moves to another
/// Io for good. A request for a WebSocket is the last one: once all answers before it have been
/// sent, the stream is the WebSocket's, and this only passes on what concerns it.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(std::shared_ptr<Serving> shared, Io& io, Stream stream, std::string peer)
        : shared_(std::move(shared)),
          io_(&io),
          inbox_(io.inbox),
          stream_(std::move(stream)),
          peer_(std::move(peer)),
          remote_(peer_),
          reader_(shared_->options, shared_->budget) {}

    void start() {
        at_ = now();
        read_deadline_ = at_ + options().header_timeout;
        if (options().proxy_protocol && shared_->proxies.trusts(peer_)) {
            proxy_header_ = std::make_unique<ProxyHeader>();
            read_proxy_header();
        } else {
            read();
        }
    }

    /// Thread-safe.
    void answer(std::uint64_t sequence, Response response);

    void complete(std::uint64_t sequence, Response response);  ///< then resume()
    void resume();  ///< sends what can be sent, and reads on if there is room again
    void check_deadlines(Duration at);
    void forgive(Duration since,
                 Duration ours);  ///< after a standstill of ours that began then and was this long
    /// A WebSocket is closed; a request whose head is half read is refused.
    void drain();
    /// While draining: a request that is half read is refused, in time for its peer to hear it.
    void stop_waiting();
    void shut_down();
    void close();
    void arrive();  ///< at another Io
    /// Keeps the turn until as many bytes have been read as have arrived by now.
    void owe(const std::shared_ptr<Turn>& turn);
    /// Waits for bytes, so that some may have arrived unread.
    int waiting_handle() {
        return stream_ && reading_ == Reading::under_way ? stream_->native_handle() : -1;
    }

    /// Bytes that the read under way leaves behind, and that are not in the socket.
    bool holds_unread() {
        return stream_ && reading_ == Reading::under_way && stream_->holds_unread();
    }

    std::size_t index = 0;  ///< within Io::connections
    bool touched = false;   ///< within Inbox::deliver

private:
    /// How far the conversation has come. While there is a stream:
    ///
    ///     taking ⇄ paused → stopped → sealed → lingering
    ///
    /// Never back but from paused; any may be passed over, but what lingers has been stopped or
    /// sealed. Reading and writing are under way or not whatever the phase; a stream that is gone
    /// (closed, or a WebSocket's) leaves it where it was.
    enum class Phase : std::uint8_t {
        taking,    ///< requests are taken as they come
        paused,    ///< they wait for us: answers are due, or do not get through
        stopped,   ///< no further one is taken: one said that it is the last, or the peer has ended
        sealed,    ///< the answer that says that it is the last one has been put in line
        lingering  ///< every answer has been sent and our end closed; what comes is read past
    };
    enum class Reading : std::uint8_t {
        idle,
        under_way,
        ended,  ///< the peer sends nothing more: nothing is read any more
    };
    enum class Writing : std::uint8_t {
        idle,  ///< write() sends what there is
        blocked,
    };

    struct Slot {
        Framing framing;
        bool answered = false;
        const Route* route = nullptr;
        Duration started{};
        Charge charge;
        Charge unsent;  ///< of `response`
        Response response;
        std::string log_path;    ///< only when somebody listens
        std::string log_remote;  ///< likewise
        TraceId trace;
        std::shared_ptr<std::atomic<bool>> gone;  ///< of a question: nobody waits for its answer
    };

    const ServerOptions& options() const { return shared_->options; }
    Duration now() const { return shared_->clock.monotonic(); }
    std::size_t pending() const { return static_cast<std::size_t>(tail_ - head_); }
    Slot& slot(std::uint64_t sequence) { return slots_[sequence & (slots_.size() - 1)]; }

    void enter(Phase next);
    void stop_taking();
    bool can_take() const {
        return phase_ < Phase::stopped && !leaving_ && all_sent() &&
               pending() < options().pipeline_max;
    }
    /// What has been put in line is out.
    bool all_sent() const { return out_.empty() && writing_ == Writing::idle; }
    void read_proxy_header();
    void proxy_header_came(error_code ec);
    void read();
    void received(error_code ec, std::size_t bytes);
    void refuse_handshake(bool speaks_http);
    void note_arrival();
    bool process(const std::shared_ptr<Turn>& turn = nullptr);
    bool can_leave() const;
    void leave();
    void take_and_answer();
    void note_unfinished();
    bool step();
    void judge();
    void arm_read_deadline();

    std::uint64_t take_slot(bool keep_alive);
    void refuse(Response response, bool keep_alive);
    Responder responder_of(const Route& route, const Request& request, std::uint64_t sequence);
    void dispatch();
    void post(const Route& route, std::uint64_t sequence, Request request, Caller caller,
              Responder responder);
    void give_up_questions();

    void flush();
    void put_in_line(Slot& slot);
    bool is_last_of_drain();
    void end_turn_if_read();
    void measure(const Slot& slot) const;
    void upgrade();
    void write();
    void write_later();
    void finish();

    std::shared_ptr<Serving> shared_;
    Io* io_;
    std::shared_ptr<Inbox> inbox_;
    std::optional<Stream> stream_;  ///< empty: closed, or a WebSocket's
    std::shared_ptr<WebSocketSession> websocket_;
    std::string websocket_key_;  ///< of the request that may become a WebSocket: the last one
    const std::string peer_;
    std::string remote_;  ///< whose connection it is: the peer's, or what a PROXY header said
    std::unique_ptr<ProxyHeader> proxy_header_;  ///< until it is complete

    Input input_;
    RequestReader reader_;
    Duration at_{};             ///< the time, read once per turn
    Duration reading_since_{};  ///< when the header, then the body, of the present request began
    bool came_ = false;         ///< bytes that note_arrival() has not seen
    Duration arrived_{};        ///< when they did, at the earliest; at the latest they were read
    Duration starved_at_{};     ///< since then the peer is waited for
    Duration waiting_since_{};  ///< of the present request: Request's
    const Route* route_ = nullptr;        ///< of the present request
    bool owes_continue_ = false;          ///< likewise: its body waits for our 100 Continue
    bool leaving_ = false;                ///< the present request is served by another Io
    std::shared_ptr<Turn> leaving_turn_;  ///< not over before it has been
    bool cut_off_ = false;     ///< the last request was refused before all of it was read
    bool unfinished_ = false;  ///< and counted as such (Serving::begin_unfinished)
    std::vector<Slot> slots_ = std::vector<Slot>(1);
    std::uint64_t head_ = 0;  ///< next to be answered
    std::uint64_t tail_ = 0;  ///< next to be taken
    Outgoing out_;
    std::shared_ptr<Turn> turn_;
    std::size_t owed_ = 0;          ///< bytes, at most
    std::size_t read_room_ = 0;     ///< bytes that the read under way takes at most
    Charge out_charge_;             ///< of requests whose answers are in out_
    Charge out_unsent_;             ///< of these answers
    std::size_t out_requests_ = 0;  ///< likewise
    Duration read_deadline_ = never;
    Duration write_deadline_ = never;
    Phase phase_ = Phase::taking;
    Reading reading_ = Reading::idle;
    Writing writing_ = Writing::idle;
};

}  // namespace helios::http
