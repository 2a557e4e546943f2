#include "http/server.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <thread>

#define BOOST_ASIO_NO_DEPRECATED
#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK  // a fence says nothing to the thread sanitizer; the locks beside it do
#endif
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "base/assert.h"
#include "http/input.h"
#include "http/outgoing.h"
#include "http/request_reader.h"
#include "http/serving.h"

namespace helios::http {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;

constexpr std::size_t read_bytes_least = 4u << 10;         // room offered to each read
constexpr Duration linger_time = std::chrono::seconds(2);  // reading on after a final answer, so that it is not lost to a reset
constexpr Duration never = Duration::max();

Response stopping() {
    return problem(Error{ErrorKind::stopping, "the server is shutting down", "send again, to another server or later"});
}

class Connection;

/// Answers given on other threads, on their way to an I/O thread. Outlives the thread: late answers find it closed.
class Inbox {
public:
    struct Item {
        std::shared_ptr<Connection> connection;
        std::uint64_t sequence;
        Response response;
    };

    explicit Inbox(asio::io_context& context) : context_(&context) {}

    void push(Item item) {
        const std::lock_guard lock(mutex_);
        if (context_ == nullptr) {
            return;
        }
        items_.push_back(std::move(item));
        if (items_.size() == 1) {
            asio::post(*context_, [this] { deliver(); });
        }
    }
    void close() {
        const std::lock_guard lock(mutex_);
        context_ = nullptr;
    }

private:
    void deliver();

    std::mutex mutex_;
    asio::io_context* context_;  ///< nullptr: closed
    std::vector<Item> items_;
    std::vector<Item> delivering_;
    std::vector<Connection*> touched_;
};

/// One thread, its event loop and its connections.
struct Io {
    explicit Io(std::shared_ptr<Serving> s) : shared(std::move(s)), inbox(std::make_shared<Inbox>(context)) {}

    void start();  ///< its thread
    void tick();   ///< deadlines, the date, sampled metrics; again and again
    void adopt(Socket socket);
    void remove(Connection& connection);
    void shut_down();

    std::shared_ptr<Serving> shared;
    asio::io_context context{1};
    asio::executor_work_guard<Executor> work{context.get_executor()};
    asio::steady_timer timer{context};
    std::shared_ptr<Inbox> inbox;
    std::vector<std::shared_ptr<Connection>> connections;
    std::string date;
    std::int64_t date_second = -1;
    std::thread thread;
};

// One connection

/// Everything on its I/O thread, but answer(). Requests are parsed one after another, handed out, and answered in order: each
/// holds a slot from its last byte until its answer has been put in line.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(std::shared_ptr<Serving> shared, Io& io, Socket socket, std::string remote)
        : shared_(std::move(shared)),
          io_(io),
          inbox_(io.inbox),
          socket_(std::move(socket)),
          remote_(std::move(remote)),
          reader_(shared_->options, shared_->budget) {}

    void start() {
        read_deadline_ = now() + options().header_timeout;
        read();
    }

    /// Thread-safe.
    void answer(std::uint64_t sequence, Response response);

    void complete(std::uint64_t sequence, Response response);  ///< then resume()
    void resume();                                             ///< sends what can be sent, and reads on if there is room again
    void check_deadlines(Duration at);
    void shut_down();
    void close();

    std::size_t index = 0;  ///< within Io::connections
    bool touched = false;   ///< within Inbox::deliver

private:
    struct Slot {
        Framing framing;
        bool answered = false;
        const Route* route = nullptr;
        Duration started{};
        Charge charge;
        Response response;
        std::string log_path;  ///< only when somebody listens
    };

    const ServerOptions& options() const { return shared_->options; }
    Duration now() const { return shared_->clock.monotonic(); }
    std::size_t pending() const { return static_cast<std::size_t>(tail_ - head_); }
    Slot& slot(std::uint64_t sequence) { return slots_[sequence & (slots_.size() - 1)]; }

    bool can_take() const { return !stop_reading_ && out_.empty() && pending() < options().pipeline_max; }
    void read();
    void received(error_code ec, std::size_t bytes);
    void process();
    bool step();
    void judge();
    void arm_read_deadline();

    std::uint64_t take_slot(bool keep_alive);
    void refuse(Response response, bool keep_alive);
    void dispatch();

    void flush();
    void put_in_line(Slot& slot);
    void write();
    void finish();

    std::shared_ptr<Serving> shared_;
    Io& io_;
    std::shared_ptr<Inbox> inbox_;
    std::optional<Socket> socket_;  ///< empty: closed
    const std::string remote_;

    Input input_;
    RequestReader reader_;
    Duration at_{};                 ///< the time, read once per turn
    Duration reading_since_{};      ///< when the header, then the body, of the present request began
    const Route* route_ = nullptr;  ///< of the present request
    std::vector<Slot> slots_ = std::vector<Slot>(1);
    std::uint64_t head_ = 0;  ///< next to be answered
    std::uint64_t tail_ = 0;  ///< next to be taken
    Outgoing out_;
    Charge out_charge_;             ///< of requests whose answers are in out_
    std::size_t out_requests_ = 0;  ///< likewise
    Duration read_deadline_ = never;
    Duration write_deadline_ = never;
    bool reading_ = false;
    bool write_waiting_ = false;
    bool stop_reading_ = false;
    bool end_of_input_ = false;
    bool sealed_ = false;  ///< the last answer is in out_
    bool lingering_ = false;
    bool owes_continue_ = false;
    bool paused_ = false;
};

/// The connection whose requests this thread is handing out: its answers need no detour.
thread_local Connection* handing_out = nullptr;

void Connection::answer(std::uint64_t sequence, Response response) {
    if (handing_out == this) {
        complete(sequence, std::move(response));
        return;
    }
    inbox_->push({shared_from_this(), sequence, std::move(response)});
}

void Connection::complete(std::uint64_t sequence, Response response) {
    Slot& answered = slot(sequence);
    answered.response = std::move(response);
    answered.answered = true;
    if (!socket_) {
        answered = Slot();
        shared_->end_requests(1);
    }
}

void Connection::resume() {
    if (socket_) {
        process();
    }
}

void Connection::read() {
    if (reading_ || !socket_) {
        return;
    }
    reading_ = true;
    const bool large = reader_.in_body() && reader_.request().body.capacity() > Input::capacity_small;
    const auto room = input_.prepare(read_bytes_least, large ? Input::capacity_large : Input::capacity_small);
    socket_->async_read_some(asio::mutable_buffer(room.data(), room.size()),
                             [self = shared_from_this()](error_code ec, std::size_t bytes) { self->received(ec, bytes); });
}

void Connection::received(error_code ec, std::size_t bytes) {
    reading_ = false;
    if (!socket_) {
        return;
    }
    if (ec && ec != asio::error::eof) {
        close();
        return;
    }
    end_of_input_ = static_cast<bool>(ec);
    if (lingering_) {
        end_of_input_ ? close() : read();  // what comes now is read past, into the same buffer
        return;
    }
    input_.commit(bytes);
    process();
}

void Connection::process() {
    const auto self = shared_from_this();
    at_ = now();
    Connection* const outer = std::exchange(handing_out, this);
    bool starved = false;
    do {
        while (!starved && can_take()) {
            starved = !step();
        }
        flush();
    } while (!starved && socket_ && can_take());
    handing_out = outer;
    if (!socket_) {
        return;
    }
    if (starved && end_of_input_ && !stop_reading_) {
        if (reader_.busy()) {
            refuse(problem(400, "Bad request", "the request ends in the middle"), false);
        }
        stop_reading_ = true;
        flush();
    }
    finish();
    if (!socket_ || lingering_) {
        return;
    }
    arm_read_deadline();
    if (can_take()) {
        read();
    }
}

void Connection::arm_read_deadline() {
    if (!can_take()) {
        read_deadline_ = never;  // it is we who hold things up
        paused_ = true;
        return;
    }
    if (reader_.busy()) {
        if (paused_) {
            reading_since_ = at_;
        }
        read_deadline_ = reading_since_ + (reader_.in_body() ? options().body_timeout : options().header_timeout);
    } else {
        read_deadline_ = pending() == 0 ? at_ + options().idle_timeout : never;
        input_.shrink();
    }
    paused_ = false;
}

/// False: more bytes are needed.
bool Connection::step() {
    using Outcome = RequestReader::Outcome;
    const bool fresh = !reader_.busy();
    const auto outcome = reader_.advance(input_);
    if (fresh && reader_.busy()) {
        reading_since_ = at_;
    }
    owes_continue_ = owes_continue_ && outcome == Outcome::starved;
    switch (outcome) {
        case Outcome::starved:
            return false;
        case Outcome::header:
            judge();
            break;
        case Outcome::complete:
            dispatch();
            break;
        case Outcome::refused:
            refuse(reader_.take_refusal(), false);
            break;
    }
    return true;
}

void Connection::judge() {
    const RequestHead& head = reader_.head();
    auto verdict = shared_->admission->judge(head, reader_.request());
    if (shared_->draining) {
        verdict.refusal = stopping();
    }
    route_ = verdict.route;
    if (verdict.refusal) {
        // A body that is not read cannot be told from the next request: go on only where there is none.
        refuse(*std::move(verdict.refusal), !head.has_body && head.keep_alive && !shared_->draining);
        return;
    }
    reader_.set_body_limit(verdict.body_bytes_max);
    reading_since_ = at_;
    owes_continue_ = input_.empty() && head.has_body && head.expects_continue && !head.http_1_0;
}

// Handing out and answering

std::uint64_t Connection::take_slot(bool keep_alive) {
    if (pending() == slots_.size()) {
        std::vector<Slot> grown(slots_.size() * 2);
        for (std::uint64_t i = head_; i != tail_; ++i) {
            grown[i & (grown.size() - 1)] = std::move(slot(i));
        }
        slots_ = std::move(grown);
    }
    const std::uint64_t sequence = tail_++;
    Slot& taken = slot(sequence);
    taken.started = at_;
    taken.framing.keep_alive = keep_alive;
    taken.framing.head = reader_.request().method == Method::head;
    taken.framing.http_1_0 = reader_.head().http_1_0;
    taken.route = std::exchange(route_, nullptr);
    taken.charge = std::move(reader_.charge());
    if (shared_->telemetry.logger.enabled(telemetry::Level::debug)) {
        taken.log_path = reader_.request().path;
    }
    stop_reading_ = stop_reading_ || !keep_alive;
    shared_->begin_request();
    return sequence;
}

void Connection::refuse(Response response, bool keep_alive) {
    owes_continue_ = false;
    const auto sequence = take_slot(keep_alive);
    reader_.drop();
    complete(sequence, std::move(response));
}

void Connection::dispatch() {
    const Route& route = *route_;
    const auto sequence = take_slot(reader_.head().keep_alive && !shared_->draining);
    Request request = std::move(reader_.request());
    reader_.drop();
    request.remote = remote_;
    Responder responder(
        [self = shared_from_this(), sequence](Response response) { self->answer(sequence, std::move(response)); });
    if (!route.blocking) {
        shared_->invoke(route, std::move(request), std::move(responder));
        return;
    }
    WorkerPool::Job job{&route, std::move(request), std::move(responder)};
    if (!shared_->workers->try_post(job)) {
        job.responder.send(
            problem(503, "Busy", "too many requests of this kind are waiting", "send again after the time in Retry-After"));
    }
}

void Connection::flush() {
    if (head_ != tail_ && slot(head_).answered) {
        at_ = now();
        for (; !sealed_ && head_ != tail_ && slot(head_).answered; ++head_) {
            put_in_line(slot(head_));
        }
    }
    if (owes_continue_ && head_ == tail_ && !sealed_) {
        owes_continue_ = false;
        out_.append_raw("HTTP/1.1 100 Continue\r\n\r\n");
    }
    write();
}

void Connection::put_in_line(Slot& answered) {
    Response& response = answered.response;
    answered.framing.keep_alive = answered.framing.keep_alive && !response.close;
    const auto& metrics = shared_->metrics->of(answered.route);
    const Duration elapsed = at_ - answered.started;
    metrics.count(response.status, std::chrono::duration<double>(elapsed).count());
    telemetry::Logger& logger = shared_->telemetry.logger;
    if (response.status == 500) {
        logger.error("http", "a request was answered with 500", {{"route", metrics.route}, {"method", metrics.method}});
    }
    if (logger.enabled(telemetry::Level::debug)) {
        logger.debug("http", "request",
                     {{"method", metrics.method},
                      {"path", answered.log_path},
                      {"route", metrics.route},
                      {"status", response.status},
                      {"bytes", std::uint64_t{response.body.size()}},
                      {"micros", std::int64_t{elapsed.count() / 1000}},
                      {"remote", remote_}});
    }
    if (!answered.framing.keep_alive) {
        sealed_ = stop_reading_ = true;
    }
    out_.append(std::move(response), answered.framing, io_.date);
    out_charge_.absorb(answered.charge);
    ++out_requests_;
    answered = Slot();
}

void Connection::write() {
    if (write_waiting_ || !socket_) {
        return;
    }
    while (!out_.empty()) {
        std::array<asio::const_buffer, 16> buffers;
        std::size_t count = 0;
        out_.each_piece([&](std::string_view piece) {
            if (count < buffers.size()) {
                buffers[count++] = asio::const_buffer(piece.data(), piece.size());
            }
        });
        error_code ec;
        const std::size_t sent = socket_->write_some(buffers, ec);
        if (ec == asio::error::would_block || ec == asio::error::try_again) {
            write_waiting_ = true;
            if (write_deadline_ == never) {
                write_deadline_ = now() + options().write_timeout;
            }
            socket_->async_wait(Socket::wait_write, [self = shared_from_this()](error_code failed) {
                self->write_waiting_ = false;
                if (!self->socket_) {
                    return;
                }
                failed ? self->close() : self->process();
            });
            return;
        }
        if (ec) {
            close();
            return;
        }
        out_.consume(sent);
        write_deadline_ = never;  // progress
    }
    out_charge_.release();
    shared_->end_requests(std::exchange(out_requests_, 0));
}

/// After the last answer: says so, then reads past what the peer still sends, since closing on unread bytes would reset the
/// connection and could take the answer with it.
void Connection::finish() {
    if (!socket_ || lingering_ || !out_.empty() || !(sealed_ || (stop_reading_ && head_ == tail_))) {
        return;
    }
    error_code ec;
    socket_->shutdown(Socket::shutdown_send, ec);
    if (ec || end_of_input_) {
        close();
        return;
    }
    lingering_ = true;
    read_deadline_ = now() + linger_time;
    input_.consume(input_.view().size());
    reader_.drop();
    read();
}

void Connection::check_deadlines(Duration at) {
    if (at >= write_deadline_ || (at >= read_deadline_ && (lingering_ || !reader_.busy()))) {
        close();
        return;
    }
    if (at >= read_deadline_) {
        read_deadline_ = never;
        at_ = at;
        refuse(problem(408, "Request timeout", "the request did not arrive in time"), false);
        process();
    }
}

void Connection::shut_down() {
    if (socket_ && reader_.busy() && out_.empty() && head_ == tail_) {
        refuse(stopping(), false);
        flush();
    }
    close();
}

void Connection::close() {
    if (!socket_) {
        return;
    }
    const auto self = shared_from_this();
    error_code ignored;
    socket_->close(ignored);
    socket_.reset();
    reader_.drop();
    read_deadline_ = write_deadline_ = never;
    std::size_t ended = std::exchange(out_requests_, 0);
    out_charge_.release();
    for (std::uint64_t i = head_; i != tail_; ++i) {
        if (slot(i).answered) {  // the others end with their answers
            slot(i) = Slot();
            ++ended;
        }
    }
    shared_->end_requests(ended);
    io_.remove(*this);
}

void Inbox::deliver() {
    {
        const std::lock_guard lock(mutex_);
        delivering_.swap(items_);
    }
    // All first, then one write per connection.
    for (Item& item : delivering_) {
        item.connection->complete(item.sequence, std::move(item.response));
        if (!std::exchange(item.connection->touched, true)) {
            touched_.push_back(item.connection.get());
        }
    }
    for (Connection* connection : touched_) {
        connection->touched = false;
        connection->resume();
    }
    touched_.clear();
    delivering_.clear();
}

void Io::adopt(Socket socket) {
    error_code ec;
    const auto peer = socket.remote_endpoint(ec);
    if (ec || shared->draining) {
        --shared->connections;
        return;
    }
    const auto address = peer.address().to_string();
    std::string remote =
        peer.address().is_v6() ? fmt::format("[{}]:{}", address, peer.port()) : fmt::format("{}:{}", address, peer.port());
    auto connection = std::make_shared<Connection>(shared, *this, std::move(socket), std::move(remote));
    connection->index = connections.size();
    connections.push_back(connection);
    connection->start();
}

void Io::remove(Connection& connection) {
    const std::size_t index = connection.index;
    std::swap(connections[index], connections.back());
    connections[index]->index = index;
    connections.pop_back();
    --shared->connections;
}

void Io::start() {
    tick();
    thread = std::thread([this] { context.run(); });
}

void Io::tick() {
    const ServerOptions& options = shared->options;
    const std::int64_t second = to_nanos(shared->clock.wall()) / 1'000'000'000;
    if (second != date_second) {
        date_second = second;
        date = format_http_date(from_nanos(second * 1'000'000'000));
    }
    const Duration at = shared->clock.monotonic();
    for (std::size_t i = connections.size(); i-- > 0;) {  // backwards: closing one moves the last into its place
        connections[i]->check_deadlines(at);
    }
    shared->metrics->connections.set(static_cast<double>(shared->connections.load()));
    shared->metrics->inflight_bytes.set(static_cast<double>(shared->budget.used()));
    shared->metrics->inflight_requests.set(static_cast<double>(shared->inflight()));
    const Duration shortest =
        std::min({options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout});
    timer.expires_after(std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(2), std::chrono::milliseconds(250)));
    timer.async_wait([this](error_code ec) {
        // Shutting down cancels the timer, but not a tick that was due already: that one must not set it again.
        if (!ec && work.owns_work()) {
            tick();
        }
    });
}

void Io::shut_down() {
    inbox->close();
    timer.cancel();
    while (!connections.empty()) {
        connections.back()->shut_down();
    }
    work.reset();
}

// The server

class AsioServer final : public Server {
public:
    AsioServer(const ServerOptions& options, telemetry::Telemetry& telemetry, const Clock& clock)
        : shared_(std::make_shared<Serving>(options, telemetry, clock)) {
        for (unsigned i = 0; i < options.io_threads; ++i) {
            ios_.push_back(std::make_unique<Io>(shared_));
        }
        acceptor_.emplace(ios_.front()->context);
        accept_again_.emplace(ios_.front()->context);
    }
    ~AsioServer() override { drain(Duration::zero()); }

    Status listen();

    std::string host() const override { return shared_->options.host; }
    std::uint16_t port() const override { return port_; }
    void start(const RouteTable& routes) override;
    void drain(Duration limit) override;

private:
    Result<Tcp::endpoint> resolve();
    void accept();
    void welcome(Io& io, Socket socket);

    std::shared_ptr<Serving> shared_;
    std::vector<std::unique_ptr<Io>> ios_;
    std::optional<Acceptor> acceptor_;
    std::optional<asio::steady_timer> accept_again_;
    std::size_t next_io_ = 0;
    std::uint16_t port_ = 0;
    std::mutex drain_mutex_;
    bool started_ = false;
    bool drained_ = false;
};

Result<Tcp::endpoint> AsioServer::resolve() {
    const ServerOptions& options = shared_->options;
    error_code ec;
    // "localhost" is loopback by definition (RFC 6761), also on machines whose /etc/hosts does not say so.
    const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, ec);
    if (!ec) {
        return Tcp::endpoint(address, options.port);
    }
    Tcp::resolver resolver(ios_.front()->context);
    const auto found = resolver.resolve(options.host, std::to_string(options.port), Tcp::resolver::passive, ec);
    if (ec || found.empty()) {
        return fail(ErrorKind::unavailable, fmt::format("cannot listen on '{}': {}", options.host, ec.message()),
                    "use an address of this machine, such as 127.0.0.1");
    }
    for (const auto& entry : found) {
        if (entry.endpoint().address().is_v4()) {
            return entry.endpoint();
        }
    }
    return found.begin()->endpoint();
}

Status AsioServer::listen() {
    HELIOS_TRY_ASSIGN(const Tcp::endpoint endpoint, resolve());
    error_code ec;
    const auto check = [&](std::string_view step) -> Status {
        if (!ec) {
            return {};
        }
        return fail(
            ErrorKind::unavailable,
            fmt::format("cannot listen on {}:{}: {} ({})", shared_->options.host, endpoint.port(), ec.message(), step),
            ec == asio::error::address_in_use ? "stop the other process, choose another port, or port 0 for a free one" : "");
    };
    acceptor_->open(endpoint.protocol(), ec);
    HELIOS_TRY(check("socket"));
    acceptor_->set_option(asio::socket_base::reuse_address(true), ec);
    HELIOS_TRY(check("SO_REUSEADDR"));
    acceptor_->bind(endpoint, ec);
    HELIOS_TRY(check("bind"));
    acceptor_->listen(asio::socket_base::max_listen_connections, ec);
    HELIOS_TRY(check("listen"));
    port_ = acceptor_->local_endpoint(ec).port();
    return check("getsockname");
}

void AsioServer::start(const RouteTable& routes) {
    HELIOS_ASSERT(!started_, "a server is started once");
    started_ = true;
    shared_->start(routes);
    accept();
    for (const auto& io : ios_) {
        io->start();
    }
}

void AsioServer::accept() {
    Io& io = *ios_[next_io_++ % ios_.size()];
    acceptor_->async_accept(io.context, [this, &io](error_code ec, Socket socket) {
        if (!acceptor_->is_open()) {
            return;
        }
        if (!ec) {
            welcome(io, std::move(socket));
            accept();
            return;
        }
        // Out of file descriptors, most likely: those waiting stay in the backlog.
        shared_->telemetry.logger.warn("http", "cannot accept a connection", {{"why", ec.message()}});
        accept_again_->expires_after(std::chrono::milliseconds(100));
        accept_again_->async_wait([this](error_code cancelled) {
            if (!cancelled) {
                accept();
            }
        });
    });
}

void AsioServer::welcome(Io& io, Socket socket) {
    error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    socket.non_blocking(true, ignored);
    if (shared_->connections.fetch_add(1) >= shared_->options.connections_max) {
        --shared_->connections;
        shared_->metrics->connections_refused.add();
        constexpr std::string_view refusal =
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        socket.write_some(asio::const_buffer(refusal.data(), refusal.size()), ignored);
        return;
    }
    asio::dispatch(io.context, [&io, accepted = std::move(socket)]() mutable { io.adopt(std::move(accepted)); });
}

void AsioServer::drain(Duration limit) {
    const std::lock_guard lock(drain_mutex_);
    if (std::exchange(drained_, true)) {
        return;
    }
    shared_->draining = true;
    if (!started_) {
        return;
    }
    asio::post(ios_.front()->context, [this] {
        error_code ignored;
        acceptor_->close(ignored);
        accept_again_->cancel();
    });
    shared_->wait_until_idle(limit);
    shared_->workers->stop();
    for (const auto& io : ios_) {
        asio::post(io->context, [&io = *io] { io.shut_down(); });
    }
    for (const auto& io : ios_) {
        io->thread.join();
    }
    shared_->metrics->connections.set(0);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::bind(const ServerOptions& options, telemetry::Telemetry& telemetry, const Clock& clock) {
    HELIOS_TRY(options.validate());
    auto server = std::make_unique<AsioServer>(options, telemetry, clock);
    HELIOS_TRY(server->listen());
    return server;
}

}  // namespace helios::http
