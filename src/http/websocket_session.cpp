#include "http/websocket_session.h"  // before Beast: Asio's settings come with it

#include <algorithm>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <utility>

#include "base/assert.h"
#include "base/mutex.h"

namespace helios::http {

namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;

constexpr Duration close_time = std::chrono::seconds(2);  // for the client's part of closing
constexpr int kernel_send_bytes = 256 << 10;  // what the kernel holds for a slow client counts, too

/// The stream, after what had been read from it before Beast came. Notes when it was last written
/// to, and when Beast began to wind it up, since Beast tells neither.
class Wire {
public:
    using executor_type = Stream::executor_type;

    Wire(Stream stream, std::string early_bytes, const Clock& clock)
        : stream_(std::move(stream)),
          early_bytes_(std::move(early_bytes)),
          clock_(&clock),
          wrote_at_(clock.monotonic()) {}

    executor_type get_executor() { return stream_.get_executor(); }
    Stream& stream() { return stream_; }

    Duration wrote_at() const { return wrote_at_; }
    void forgive(Duration since, Duration ours) {
        wrote_at_ += wrote_at_ <= since ? ours : Duration::zero();
    }
    std::optional<Duration> winding_up_since() const { return winding_up_since_; }
    void wind_up() { winding_up_since_ = clock_->monotonic(); }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        if (early_bytes_.empty()) {
            return stream_.async_read_some(buffers, std::forward<Token>(token));
        }
        return asio::async_initiate<Token, void(error_code, std::size_t)>(
            [this](auto handler, const Buffers& into) {
                const std::size_t copied = asio::buffer_copy(into, asio::buffer(early_bytes_));
                early_bytes_.erase(0, copied);
                asio::post(get_executor(),
                           beast::bind_front_handler(std::move(handler), error_code(), copied));
            },
            token, buffers);
    }
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        wrote_at_ = clock_->monotonic();  // what was to be written before has been taken
        return stream_.async_write_some(buffers, std::forward<Token>(token));
    }

private:
    Stream stream_;
    std::string early_bytes_;
    const Clock* clock_;
    Duration wrote_at_;
    std::optional<Duration> winding_up_since_;
};

/// Found by Beast through the type of its argument.
template <class Handler>
void async_teardown(beast::role_type role, Wire& wire, Handler&& handler) {
    wire.wind_up();
    using websocket::async_teardown;
    wire.stream().begin_teardown();
    async_teardown(role, wire.stream().socket(), std::forward<Handler>(handler));
}

/// Likewise.
void beast_close_socket(Wire& wire) {
    wire.stream().close();
}

/// What waits to be sent, and who fills it from other threads. Outlives the session, and then takes
/// nothing.
class Outbox final : public WebSocket {
public:
    using Wake = std::function<void()>;

    explicit Outbox(std::shared_ptr<Serving> shared) : shared_(std::move(shared)) {}

    /// `wake` posts a call of the session's pump(); it is called under the lock, never after
    /// finish().
    void begin(Wake wake) {
        const MutexLock lock(mutex_);
        wake_ = std::move(wake);
    }

    bool send(Text text) override;
    void close(CloseCode code, std::string reason) override;

    // For the session, on its I/O thread.

    /// The next message, which goes on counting until sent(); nullptr: nothing waits.
    Text next();
    /// True: who was refused wants to know that there is room again.
    bool sent(std::size_t bytes);
    /// Clears the wake-up. What close() asked for, if it was called.
    std::optional<websocket::close_reason> asked();
    /// Drops what waits; nothing is taken from now on.
    void finish();

private:
    std::size_t bytes_max() const { return shared_->options.websocket_waiting_bytes_max; }
    /// It is not over: so the event loop is still there.
    void wake() HELIOS_REQUIRES(mutex_);
    void count(std::size_t bytes, bool more) HELIOS_REQUIRES(mutex_);

    const std::shared_ptr<Serving> shared_;
    Mutex mutex_;
    Wake wake_ HELIOS_GUARDED_BY(mutex_);
    std::deque<Text> waiting_ HELIOS_GUARDED_BY(mutex_);
    std::size_t bytes_ HELIOS_GUARDED_BY(mutex_) = 0;  ///< waiting, and the one on the wire
    std::optional<websocket::close_reason> asked_to_close_ HELIOS_GUARDED_BY(mutex_);
    bool awaits_room_ HELIOS_GUARDED_BY(mutex_) = false;
    bool woken_ HELIOS_GUARDED_BY(mutex_) = false;
    bool over_ HELIOS_GUARDED_BY(mutex_) = false;
};

bool Outbox::send(Text text) {
    const MutexLock lock(mutex_);
    if (over_ || asked_to_close_) {
        return false;
    }
    if (bytes_ >= bytes_max()) {
        awaits_room_ = true;
        return false;
    }
    count(text->size(), true);
    waiting_.push_back(std::move(text));
    wake();
    return true;
}

void Outbox::close(CloseCode code, std::string reason) {
    const MutexLock lock(mutex_);
    if (over_ || asked_to_close_) {
        return;
    }
    reason.resize(std::min(reason.size(), websocket::reason_string::static_capacity));
    asked_to_close_.emplace(static_cast<websocket::close_code>(code), beast::string_view(reason));
    wake();
}

void Outbox::wake() {
    if (!std::exchange(woken_, true)) {
        wake_();
    }
}

void Outbox::count(std::size_t bytes, bool more) {
    bytes_ = more ? bytes_ + bytes : bytes_ - bytes;
    shared_->metrics->websocket_waiting_bytes.add(more ? static_cast<double>(bytes)
                                                       : -static_cast<double>(bytes));
}

WebSocket::Text Outbox::next() {
    const MutexLock lock(mutex_);
    if (waiting_.empty()) {
        return nullptr;
    }
    Text text = std::move(waiting_.front());
    waiting_.pop_front();
    return text;
}

bool Outbox::sent(std::size_t bytes) {
    const MutexLock lock(mutex_);
    if (over_) {
        return false;
    }
    count(bytes, false);
    return awaits_room_ && bytes_ <= bytes_max() / 2 && std::exchange(awaits_room_, false);
}

std::optional<websocket::close_reason> Outbox::asked() {
    const MutexLock lock(mutex_);
    woken_ = false;
    return asked_to_close_;
}

void Outbox::finish() {
    const MutexLock lock(mutex_);
    over_ = true;
    wake_ = nullptr;
    waiting_.clear();
    count(bytes_, false);
}

/// Beast frames, unmasks, answers pings and checks the protocol; this decides what is sent, when it
/// is over, and why.
class Session final : public WebSocketSession, public std::enable_shared_from_this<Session> {
public:
    Session(std::shared_ptr<Serving> shared, Stream stream, Upgrade upgrade,
            std::function<void()> ended)
        : shared_(std::move(shared)),
          key_(std::move(upgrade.key)),
          events_(std::move(upgrade.events)),
          ended_(std::move(ended)),
          outbox_(std::make_shared<Outbox>(shared_)),
          stream_(std::move(stream), std::move(upgrade.early_bytes), shared_->clock),
          heard_at_(now()),
          pinged_at_(heard_at_) {}

    void start() override;
    void forgive(Duration since, Duration ours) override {
        for (Duration* moment : {&heard_at_, &pinged_at_}) {
            *moment += *moment <= since ? ours : Duration::zero();
        }
        close_by_ += close_by_ <= since + close_time ? ours : Duration::zero();
        wire().forgive(since, ours);
    }
    void check_deadlines(Duration at) override;
    void go_away() override {
        begin_close({websocket::close_code::going_away, "the server is shutting down"}, "drain");
    }
    void drop() override { end("drain"); }

private:
    enum class State { opening, open, closing, over };

    const ServerOptions& options() const { return shared_->options; }
    Duration now() const { return shared_->clock.monotonic(); }
    Wire& wire() { return stream_.next_layer(); }

    void opened(error_code ec);
    void read();
    void received(error_code ec);
    void heard();
    void pump();
    void write();
    void written(error_code ec);
    void ping(Duration at);
    void begin_close(websocket::close_reason reason, std::string_view why);
    void end(std::string_view why);

    const std::shared_ptr<Serving> shared_;
    const std::string key_;
    std::shared_ptr<WebSocketEvents> events_;
    std::function<void()> ended_;
    const std::shared_ptr<Outbox> outbox_;

    websocket::stream<Wire, false> stream_;  // false: no permessage-deflate
    beast::flat_buffer incoming_;
    State state_ = State::opening;
    bool announced_ = false;       ///< events_->opened has been called
    WebSocket::Text on_the_wire_;  ///< being written
    bool broken_ = false;          ///< a write failed: what is being read will say why
    bool pinging_ = false;
    bool awaits_pong_ = false;
    Duration heard_at_;
    Duration pinged_at_;
    Duration close_by_{};
    std::string_view why_ =
        "protocol";  ///< why it will have ended, if Beast winds it up or it is closing
};

void Session::start() {
    wire().stream().bound_kernel_send(kernel_send_bytes);
    stream_.text(true);
    stream_.auto_fragment(false);
    stream_.read_message_max(options().websocket_message_bytes_max);
    stream_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
        response.set(beast::http::field::server, "helios");
    }));
    // Beast's view of a request that has been judged already: what its answer is made of.
    beast::http::request<beast::http::empty_body> request;
    request.method(beast::http::verb::get);
    request.target("/");
    request.version(11);
    request.set(beast::http::field::host, "helios");
    request.set(beast::http::field::upgrade, "websocket");
    request.set(beast::http::field::connection, "Upgrade");
    request.set(beast::http::field::sec_websocket_version, "13");
    request.set(beast::http::field::sec_websocket_key, key_);
    stream_.async_accept(request, [self = shared_from_this()](error_code ec) { self->opened(ec); });
}

void Session::opened(error_code ec) {
    if (state_ != State::opening) {
        return;
    }
    if (ec) {
        end("lost");
        return;
    }
    state_ = State::open;
    announced_ = true;
    pinged_at_ = now();
    heard();
    // Not `self`: the stream would keep itself alive.
    stream_.control_callback([this](websocket::frame_type type, beast::string_view) {
        heard();
        if (type == websocket::frame_type::close && state_ == State::open) {
            why_ = "client";
        }
    });
    outbox_->begin([weak = weak_from_this(), executor = stream_.get_executor()] {
        asio::post(executor, [weak] {
            if (const auto self = weak.lock()) {
                self->pump();
            }
        });
    });
    events_->opened(outbox_);
    read();
    pump();
}

void Session::heard() {
    heard_at_ = now();
    awaits_pong_ = false;
}

void Session::read() {
    stream_.async_read(
        incoming_, [self = shared_from_this()](error_code ec, std::size_t) { self->received(ec); });
}

void Session::received(error_code ec) {
    if (state_ == State::over) {
        return;
    }
    if (ec) {
        const bool wound_up = ec == websocket::error::closed ||
                              ec == websocket::condition::protocol_violation ||
                              ec == websocket::error::message_too_big || wire().winding_up_since();
        end(state_ == State::closing || wound_up ? why_ : "lost");
        return;
    }
    heard();
    incoming_.consume(incoming_.size());
    if (stream_.got_binary()) {
        begin_close({websocket::close_code::unknown_data, "binary messages mean nothing here"},
                    "protocol");
        return;
    }
    read();  // a short text is read past: some clients send one now and then to keep the connection
             // awake
}

void Session::pump() {
    if (const auto asked = outbox_->asked()) {
        begin_close(*asked, "server");
        return;
    }
    write();
}

void Session::write() {
    if (on_the_wire_ || broken_ || state_ != State::open) {
        return;
    }
    on_the_wire_ = outbox_->next();
    if (on_the_wire_) {
        stream_.async_write(
            asio::buffer(*on_the_wire_),
            [self = shared_from_this()](error_code ec, std::size_t) { self->written(ec); });
    }
}

void Session::written(error_code ec) {
    const bool room = outbox_->sent(std::exchange(on_the_wire_, nullptr)->size());
    broken_ = broken_ || ec;
    if (state_ != State::open || broken_) {
        return;
    }
    shared_->metrics->websocket_messages.add();
    if (room) {
        events_->room();
    }
    write();
}

void Session::check_deadlines(Duration at) {
    const auto since = wire().winding_up_since();
    if (since && at >= *since + close_time) {
        end(why_);
        return;
    }
    if (state_ == State::opening || state_ == State::closing) {
        const Duration until =
            state_ == State::closing ? close_by_ : heard_at_ + options().write_timeout;
        if (at >= until) {
            end(state_ == State::closing ? why_ : "lost");
        }
        return;
    }
    if (on_the_wire_ && at >= wire().wrote_at() + options().write_timeout) {
        end("stalled");
        return;
    }
    // While a message is stuck half way, what the client reads of it is its sign of life: our ping
    // waits behind it.
    const Duration quiet_since =
        std::max(pinged_at_, on_the_wire_ ? wire().wrote_at() : pinged_at_);
    if (awaits_pong_ && at >= quiet_since + options().websocket_pong_timeout) {
        end("silent");
        return;
    }
    ping(at);
}

void Session::ping(Duration at) {
    if (pinging_ || awaits_pong_ || at < pinged_at_ + options().websocket_ping_interval) {
        return;
    }
    pinging_ = awaits_pong_ = true;
    pinged_at_ = at;
    stream_.async_ping({}, [self = shared_from_this()](error_code) {
        self->pinging_ = false;
    });  // read() hears of failures
}

void Session::begin_close(websocket::close_reason reason, std::string_view why) {
    if (state_ == State::opening) {
        end(why);
        return;
    }
    if (state_ != State::open) {
        return;
    }
    state_ = State::closing;
    why_ = why;
    close_by_ = now() + close_time;
    stream_.async_close(reason, [self = shared_from_this()](error_code) { self->end(self->why_); });
}

/// `why` is one of ServerMetrics::websocket_ends.
void Session::end(std::string_view why) {
    if (std::exchange(state_, State::over) == State::over) {
        return;
    }
    const auto self = shared_from_this();
    outbox_->finish();
    wire().stream().close();
    shared_->metrics->websocket_ended(why);
    const auto events = std::move(events_);
    if (announced_) {
        events->closed();
    }
    std::exchange(ended_, nullptr)();
}

}  // namespace

std::shared_ptr<WebSocketSession> open_websocket(std::shared_ptr<Serving> shared, Stream stream,
                                                 Upgrade upgrade, std::function<void()> ended) {
    return std::make_shared<Session>(std::move(shared), std::move(stream), std::move(upgrade),
                                     std::move(ended));
}

}  // namespace helios::http
