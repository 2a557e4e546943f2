#include "http/server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#define BOOST_ASIO_NO_DEPRECATED
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <fmt/format.h>

#include "base/assert.h"
#include "http/byte_budget.h"
#include "http/host_policy.h"
#include "http/outgoing.h"
#include "http/server_metrics.h"
#include "http/url.h"
#include "http/worker_pool.h"

namespace helios::http {

namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;

constexpr std::size_t read_bytes_least = 4u << 10;         // room offered to each read
constexpr std::size_t input_bytes_initial = 8u << 10;      // buffer of a connection
constexpr std::size_t input_bytes_body = 64u << 10;        // … while a large body comes in
constexpr std::size_t body_bytes_reserved_at_once = 16u << 10;  // beyond this, memory is taken as bytes arrive, not as announced
constexpr std::size_t header_bytes_free = 4u << 10;        // larger header blocks count against the byte budget
constexpr Duration linger_time = std::chrono::seconds(2);  // reading on after a final answer, so that it is not lost to a reset
constexpr Duration never = Duration::max();

std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

std::optional<Method> method_of(beast_http::verb verb) {
    switch (verb) {
        case beast_http::verb::get: return Method::get;
        case beast_http::verb::head: return Method::head;
        case beast_http::verb::post: return Method::post;
        case beast_http::verb::put: return Method::put;
        case beast_http::verb::patch: return Method::patch;
        case beast_http::verb::delete_: return Method::delete_;
        case beast_http::verb::options: return Method::options;
        default: return std::nullopt;
    }
}

bool has_folded_line(std::string_view block) {
    for (auto at = block.find('\n'); at != std::string_view::npos && at + 1 < block.size(); at = block.find('\n', at + 1)) {
        if (block[at + 1] == ' ' || block[at + 1] == '\t') {
            return true;
        }
    }
    return false;
}

// Receiving

/// Bytes received and not yet parsed, contiguous.
class Input {
public:
    std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
    bool empty() const { return begin_ == end_; }

    void consume(std::size_t bytes) {
        begin_ += bytes;
        if (begin_ == end_) {
            begin_ = end_ = 0;
        }
    }

    /// Room for at least `least` bytes more, in a buffer of at least `capacity`.
    asio::mutable_buffer prepare(std::size_t least, std::size_t capacity) {
        if (capacity_ < capacity || capacity_ - end_ < least) {
            const std::size_t held = end_ - begin_;
            const std::size_t needed = std::max(capacity, held + least);
            if (capacity_ < needed) {
                const std::size_t grown = std::max(needed, std::min(capacity_ * 2, input_bytes_body));
                std::unique_ptr<char[]> moved(new char[grown]);
                if (held != 0) {
                    std::memcpy(moved.get(), data_.get() + begin_, held);
                }
                data_ = std::move(moved);
                capacity_ = grown;
            } else if (held != 0) {
                std::memmove(data_.get(), data_.get() + begin_, held);
            }
            begin_ = 0;
            end_ = held;
        }
        return {data_.get() + end_, capacity_ - end_};
    }
    void commit(std::size_t bytes) { end_ += bytes; }

    /// Gives a large buffer back when nothing is in it.
    void shrink() {
        if (empty() && capacity_ > input_bytes_initial) {
            data_.reset();
            capacity_ = 0;
        }
    }

private:
    std::unique_ptr<char[]> data_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

/// One request on its way in. Beast splits the bytes; what Beast forgives and proxies disagree about is refused here, so that
/// nobody can make us see another request than the proxy in front saw.
class Message final : public beast_http::basic_parser<true> {
public:
    Message(const ServerOptions& options, ByteBudget& budget, Duration now) : charge(budget), since(now), options_(options) {
        header_limit(static_cast<std::uint32_t>(options.header_bytes_max));
        body_limit(boost::none);  // per route, checked in take()
        request.headers.reserve(8);
    }

    Request request;
    Charge charge;
    Duration since;                    ///< when the part now being read began
    std::string_view target;           ///< into the input buffer: valid until the header is consumed
    std::string_view host;             ///< likewise
    const Route* route = nullptr;
    std::size_t body_bytes_max = 0;
    std::optional<Response> refusal;   ///< why parsing stopped, when it was not Beast that minded
    bool http_1_0 = false;
    bool host_seen = false;
    bool expects_continue = false;
    bool expects_other = false;
    bool encoded = false;              ///< Content-Encoding other than identity

private:
    void refuse(error_code& ec, int status, std::string_view title, std::string_view detail) {
        refusal = problem(status, title, detail);
        ec = beast_http::error::bad_field;
    }

    void on_request_impl(beast_http::verb verb, boost::beast::string_view, boost::beast::string_view raw_target, int version, error_code& ec) override {
        const auto method = method_of(verb);
        if (!method) {
            return refuse(ec, 400, "Bad request", "unknown request method");
        }
        request.method = *method;
        target = view(raw_target);
        http_1_0 = version == 10;
    }

    void on_field_impl(beast_http::field field, boost::beast::string_view raw_name, boost::beast::string_view raw_value, error_code& ec) override {
        if (is_header_done() || refusal) {
            return;  // a trailer: read past, never kept
        }
        const auto name = view(raw_name);
        const auto value = view(raw_value);
        if (request.headers.size() == options_.header_fields_max) {
            return refuse(ec, 431, "Too many header fields", fmt::format("at most {} are read", options_.header_fields_max));
        }
        switch (field) {
            case beast_http::field::host:
                if (std::exchange(host_seen, true)) {
                    return refuse(ec, 400, "Bad request", "more than one Host header");
                }
                host = value;
                break;
            case beast_http::field::content_length:
                if (std::exchange(length_seen_, true) || encoding_seen_ || value.empty() || value.find_first_not_of("0123456789") != value.npos) {
                    return refuse(ec, 400, "Bad request", "Content-Length must be one number, without Transfer-Encoding");
                }
                break;
            case beast_http::field::transfer_encoding:
                if (std::exchange(encoding_seen_, true) || length_seen_ || http_1_0 || !equal_ignoring_case(value, "chunked")) {
                    return refuse(ec, 400, "Bad request", "Transfer-Encoding must be chunked, once, without Content-Length");
                }
                break;
            case beast_http::field::expect:
                (equal_ignoring_case(value, "100-continue") ? expects_continue : expects_other) = true;
                break;
            case beast_http::field::content_encoding:
                encoded = encoded || !(value.empty() || equal_ignoring_case(value, "identity"));
                break;
            default:
                if (equal_ignoring_case(name, "traceparent")) {
                    // More than one cannot be trusted: all are ignored.
                    request.trace = ++traces_ == 1 ? telemetry::parse_traceparent(value) : std::nullopt;
                }
        }
        request.headers.emplace_back(name, value);
    }

    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code&) override {}
    void on_finish_impl(error_code&) override {}
    void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}
    std::size_t on_body_impl(boost::beast::string_view bytes, error_code& ec) override { return take(view(bytes), ec); }
    std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view bytes, error_code& ec) override { return take(view(bytes), ec); }

    std::size_t take(std::string_view bytes, error_code& ec) {
        std::string& body = request.body;
        if (bytes.size() > body_bytes_max - body.size()) {
            refusal = too_large();
            ec = beast_http::error::body_limit;
            return 0;
        }
        if (const std::size_t needed = body.size() + bytes.size(); needed > body.capacity() && !make_room(needed)) {
            refusal = no_room();
            ec = beast_http::error::body_limit;
            return 0;
        }
        body += bytes;
        return bytes.size();
    }

public:
    Response too_large() const {
        return problem(413, "Content too large", fmt::format("the body of this request may have {} bytes", body_bytes_max), "send less at once");
    }
    static Response no_room() {
        return problem(503, "Busy", "too many bytes of request bodies are in flight", "send again after the time in Retry-After");
    }

    /// Capacity for a body of `bytes`, charged to the budget before it is used. False: the budget has no room.
    bool make_room(std::size_t bytes) {
        const std::size_t doubled = std::max(bytes, request.body.capacity() * 2);  // as std::string grows
        if (!charge.grow_to(charged_before_body_ + doubled)) {
            return false;
        }
        request.body.reserve(doubled);
        return true;
    }
    bool charge_header(std::size_t bytes) {
        charged_before_body_ = bytes;
        return charge.grow_to(bytes);
    }

private:
    const ServerOptions& options_;
    std::size_t charged_before_body_ = 0;
    int traces_ = 0;
    bool length_seen_ = false;
    bool encoding_seen_ = false;
};

// What the connections of one server share

struct Shared {
    Shared(const ServerOptions& o, telemetry::Telemetry& t, const Clock& c)
        : options(o), telemetry(t), clock(c), policy(o.host, o.allowed_hosts), budget(o.inflight_bytes_max) {}

    const ServerOptions options;
    telemetry::Telemetry& telemetry;
    const Clock& clock;
    const HostPolicy policy;
    ByteBudget budget;
    const RouteTable* routes = nullptr;
    std::optional<ServerMetrics> metrics;
    std::optional<WorkerPool> workers;
    std::atomic<std::size_t> connections{0};
    std::atomic<bool> draining{false};

    void begin_request() { inflight_.fetch_add(1); }
    void end_requests(std::size_t count) {
        if (count != 0 && inflight_.fetch_sub(count) == count && draining) {
            const std::lock_guard lock(mutex_);
            idle_.notify_all();
        }
    }
    std::size_t inflight() const { return inflight_; }
    void wait_until_idle(Duration limit) {
        std::unique_lock lock(mutex_);
        idle_.wait_for(lock, limit, [this] { return inflight_ == 0; });
    }

private:
    std::atomic<std::size_t> inflight_{0};
    std::mutex mutex_;
    std::condition_variable idle_;
};

void invoke(telemetry::Logger& logger, const Route& route, Request request, Responder responder) {
    try {
        route.handler(std::move(request), std::move(responder));
    } catch (const std::exception& e) {
        // The responder went with the handler's frame: the client has its 500.
        logger.error("http", "a handler threw an exception", {{"route", route.path}, {"what", e.what()}});
    }
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
    explicit Io(std::shared_ptr<Shared> s) : shared(std::move(s)), inbox(std::make_shared<Inbox>(context)) {}

    void start();  ///< its thread
    void tick();   ///< deadlines, the date, sampled metrics; again and again
    void adopt(Socket socket);
    void remove(Connection& connection);
    void shut_down();

    std::shared_ptr<Shared> shared;
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
    Connection(std::shared_ptr<Shared> shared, Io& io, Socket socket, std::string remote)
        : shared_(std::move(shared)), io_(io), inbox_(io.inbox), socket_(std::move(socket)), remote_(std::move(remote)) {}

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

    std::size_t index = 0;    ///< within Io::connections
    bool touched = false;     ///< within Inbox::deliver

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
    bool read_header();
    bool read_body();
    void arm_read_deadline();

    std::optional<Response> judge(Message& message);
    std::optional<Response> judge_target(Message& message);
    std::optional<Response> judge_route(Message& message, std::string_view raw_path);
    std::optional<Response> judge_body(Message& message);

    std::uint64_t take_slot(bool keep_alive);
    void refuse(Response response, bool keep_alive);
    bool refuse_parse_error(error_code ec);
    void dispatch();

    void flush();
    void put_in_line(Slot& slot);
    void write();
    void finish();

    std::shared_ptr<Shared> shared_;
    Io& io_;
    std::shared_ptr<Inbox> inbox_;
    std::optional<Socket> socket_;  ///< empty: closed
    const std::string remote_;

    Input input_;
    std::optional<Message> message_;
    std::size_t scanned_ = 0;  ///< bytes of input_ known not to end the header
    std::vector<Slot> slots_ = std::vector<Slot>(1);
    std::uint64_t head_ = 0;  ///< next to be answered
    std::uint64_t tail_ = 0;  ///< next to be taken
    Outgoing out_;
    Charge out_charge_;            ///< of requests whose answers are in out_
    std::size_t out_requests_ = 0; ///< likewise
    Duration read_deadline_ = never;
    Duration write_deadline_ = never;
    bool reading_ = false;
    bool write_waiting_ = false;
    bool stop_reading_ = false;
    bool end_of_input_ = false;
    bool sealed_ = false;       ///< the last answer is in out_
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
    const bool large = message_ && message_->is_header_done() && message_->request.body.capacity() > input_bytes_initial;
    const auto buffer = input_.prepare(read_bytes_least, large ? input_bytes_body : input_bytes_initial);
    socket_->async_read_some(buffer, [self = shared_from_this()](error_code ec, std::size_t bytes) { self->received(ec, bytes); });
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
        if (message_) {
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
    const Duration at = now();
    if (message_) {
        if (paused_) {
            message_->since = at;
        }
        read_deadline_ = message_->since + (message_->is_header_done() ? options().body_timeout : options().header_timeout);
    } else {
        read_deadline_ = pending() == 0 ? at + options().idle_timeout : never;
        input_.shrink();
    }
    paused_ = false;
}

/// False: more bytes are needed.
bool Connection::step() {
    if (!message_) {
        while (input_.view().starts_with("\r\n")) {
            input_.consume(2);  // RFC 9112 2.2: some clients end a body with an extra line
        }
        if (input_.empty() || input_.view() == "\r") {
            return false;
        }
        message_.emplace(options(), shared_->budget, now());
        scanned_ = 0;
    }
    return message_->is_header_done() ? read_body() : read_header();
}

bool Connection::read_header() {
    const auto bytes = input_.view();
    if (static_cast<unsigned char>(bytes.front()) < 'A' || static_cast<unsigned char>(bytes.front()) > 'z') {
        refuse(problem(400, "Bad request", "this is not HTTP/1.1", "this address speaks plain http, not https"), false);
        return true;
    }
    const auto end = bytes.find("\r\n\r\n", scanned_ < 3 ? 0 : scanned_ - 3);
    const auto length = end == std::string_view::npos ? bytes.size() : end + 4;
    if (length > options().header_bytes_max) {
        refuse(problem(431, "Header too large", fmt::format("request line and headers may have {} bytes together", options().header_bytes_max)), false);
        return true;
    }
    if (end == std::string_view::npos) {
        scanned_ = bytes.size();
        return false;
    }
    const auto block = bytes.substr(0, length);
    if (has_folded_line(block)) {
        refuse(problem(400, "Bad request", "a header continues on a second line"), false);
        return true;
    }
    error_code ec;
    message_->put(asio::const_buffer(block.data(), block.size()), ec);
    if (ec) {
        return refuse_parse_error(ec);
    }
    if (length > header_bytes_free && !message_->charge_header(length)) {
        refuse(Message::no_room(), false);
        return true;
    }
    auto refusal = judge(*message_);
    input_.consume(length);
    if (refusal) {
        // The body was not read and cannot be told from the next request: go on only where there is none.
        refuse(*std::move(refusal), message_->is_done() && message_->keep_alive() && !shared_->draining);
        return true;
    }
    if (message_->is_done()) {
        dispatch();
        return true;
    }
    message_->eager(true);
    message_->since = now();
    owes_continue_ = message_->expects_continue && !message_->http_1_0 && input_.empty();
    return true;
}

bool Connection::read_body() {
    if (input_.empty()) {
        return false;
    }
    owes_continue_ = false;
    error_code ec;
    const auto bytes = input_.view();
    input_.consume(message_->put(asio::const_buffer(bytes.data(), bytes.size()), ec));
    if (ec == beast_http::error::need_more) {
        if (input_.view().size() >= options().header_bytes_max) {
            refuse(problem(400, "Bad request", "a chunk's head or the trailer is too long"), false);
            return true;
        }
        return false;
    }
    if (ec) {
        return refuse_parse_error(ec);
    }
    if (!message_->is_done()) {
        return !input_.empty();
    }
    dispatch();
    return true;
}

bool Connection::refuse_parse_error(error_code ec) {
    if (message_->refusal) {
        refuse(*std::exchange(message_->refusal, std::nullopt), false);
    } else if (ec == beast_http::error::bad_version) {
        refuse(problem(505, "HTTP version not supported", "this server speaks HTTP/1.1 and HTTP/1.0"), false);
    } else if (ec == beast_http::error::header_limit) {
        refuse(problem(431, "Header too large", "request line and headers are too long"), false);
    } else {
        refuse(problem(400, "Bad request", ec.message()), false);
    }
    return true;
}

// Judging a request by its header, before a byte of its body is kept

std::optional<Response> Connection::judge(Message& message) {
    if (shared_->draining) {
        return problem(Error{ErrorKind::stopping, "the server is shutting down", "send again, to another server or later"});
    }
    if (!message.host_seen && !message.http_1_0) {
        return problem(400, "Bad request", "there is no Host header");
    }
    if (message.expects_other) {
        return problem(417, "Expectation failed", "only 100-continue can be expected");
    }
    return judge_target(message);
}

std::optional<Response> Connection::judge_target(Message& message) {
    const auto target = split_target(message.target);
    if (!target) {
        return problem(target.error());
    }
    const auto host = target->authority.empty() ? message.host : target->authority;
    if (message.host_seen || !target->authority.empty()) {
        if (!split_authority(host)) {
            return problem(400, "Bad request", "the Host header is not host[:port]");
        }
        if (!shared_->policy.allows(host)) {
            return problem(421, "Unknown host", "this server does not answer to that Host header", "add the name to http.allowed_hosts (HELIOS_HTTP_ALLOWED_HOSTS)");
        }
    }
    message.host = host;
    if (target->path == "*") {
        return message.request.method == Method::options ? Response::empty(204).with("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
                                                         : problem(400, "Bad request", "the target '*' is for OPTIONS");
    }
    auto path = decode_path(target->path);
    if (!path) {
        return problem(path.error());
    }
    auto query = parse_query(target->query);
    if (!query) {
        return problem(query.error());
    }
    message.request.path = *std::move(path);
    message.request.query = *std::move(query);
    return judge_route(message, target->path);
}

std::optional<Response> Connection::judge_route(Message& message, std::string_view raw_path) {
    Request& request = message.request;
    auto match = shared_->routes->match(request.method, raw_path);
    if (match.route == nullptr) {
        if (match.allowed.empty()) {
            return problem(404, "Not found", "there is nothing at this path", "GET /docs lists what there is");
        }
        std::string allow;
        for (const Method method : match.allowed) {
            allow += fmt::format("{}, ", to_string(method));
            allow += method == Method::get ? "HEAD, " : "";
        }
        allow += "OPTIONS";
        Response response = request.method == Method::options ? Response::empty(204) : problem(405, "Method not allowed", "this path has no such method");
        return response.with("Allow", allow);
    }
    message.route = match.route;
    request.path_params = std::move(match.path_params);
    if (match.route->changes_state && !HostPolicy::same_site(message.host, request.header("Origin"), request.header("Sec-Fetch-Site"))) {
        return problem(403, "Cross-site request", "a page of another site may not change anything here");
    }
    return judge_body(message);
}

std::optional<Response> Connection::judge_body(Message& message) {
    message.body_bytes_max = message.route->body_bytes_max == 0 ? options().body_bytes_max : message.route->body_bytes_max;
    if (message.is_done()) {
        return std::nullopt;
    }
    if (message.encoded) {
        return problem(415, "Unsupported content encoding", "bodies are read as they are", "send without Content-Encoding").with("Accept-Encoding", "identity");
    }
    const auto length = message.content_length();
    if (!length) {
        return std::nullopt;
    }
    if (*length > message.body_bytes_max) {
        return message.too_large();
    }
    if (*length > options().inflight_bytes_max - std::min(options().inflight_bytes_max, shared_->budget.used())) {
        return Message::no_room();
    }
    if (*length <= body_bytes_reserved_at_once && *length > message.request.body.capacity() && !message.make_room(*length)) {
        return Message::no_room();
    }
    return std::nullopt;
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
    taken.started = now();
    taken.framing.keep_alive = keep_alive;
    if (message_) {
        taken.framing.head = message_->request.method == Method::head;
        taken.framing.http_1_0 = message_->http_1_0;
        taken.route = message_->route;
        taken.charge = std::move(message_->charge);
        if (shared_->telemetry.logger.enabled(telemetry::Level::debug)) {
            taken.log_path = message_->request.path;
        }
    }
    stop_reading_ = stop_reading_ || !keep_alive;
    shared_->begin_request();
    return sequence;
}

void Connection::refuse(Response response, bool keep_alive) {
    owes_continue_ = false;
    const auto sequence = take_slot(keep_alive);
    message_.reset();
    complete(sequence, std::move(response));
}

void Connection::dispatch() {
    const Route& route = *message_->route;
    const auto sequence = take_slot(message_->keep_alive() && !shared_->draining);
    Request request = std::move(message_->request);
    message_.reset();
    request.remote = remote_;
    Responder responder([self = shared_from_this(), sequence](Response response) { self->answer(sequence, std::move(response)); });
    if (!route.blocking) {
        invoke(shared_->telemetry.logger, route, std::move(request), std::move(responder));
        return;
    }
    WorkerPool::Job job{&route, std::move(request), std::move(responder)};
    if (!shared_->workers->try_post(job)) {
        job.responder.send(problem(503, "Busy", "too many requests of this kind are waiting", "send again after the time in Retry-After"));
    }
}

void Connection::flush() {
    while (!sealed_ && head_ != tail_ && slot(head_).answered) {
        put_in_line(slot(head_));
        ++head_;
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
    const Duration elapsed = now() - answered.started;
    metrics.count(response.status, std::chrono::duration<double>(elapsed).count());
    telemetry::Logger& logger = shared_->telemetry.logger;
    if (response.status == 500) {
        logger.error("http", "a request was answered with 500", {{"route", metrics.route}, {"method", metrics.method}});
    }
    if (logger.enabled(telemetry::Level::debug)) {
        logger.debug("http", "request", {{"method", metrics.method}, {"path", answered.log_path}, {"route", metrics.route}, {"status", response.status},
                                         {"bytes", std::uint64_t{response.body.size()}}, {"micros", std::int64_t{elapsed.count() / 1000}}, {"remote", remote_}});
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
    message_.reset();
    read();
}

void Connection::check_deadlines(Duration at) {
    if (at >= write_deadline_ || (at >= read_deadline_ && (lingering_ || !message_))) {
        close();
        return;
    }
    if (at >= read_deadline_) {
        read_deadline_ = never;
        refuse(problem(408, "Request timeout", "the request did not arrive in time"), false);
        process();
    }
}

void Connection::shut_down() {
    if (socket_ && message_ && out_.empty() && head_ == tail_) {
        refuse(problem(Error{ErrorKind::stopping, "the server is shutting down", "send again, to another server or later"}), false);
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
    message_.reset();
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
    std::string remote = peer.address().is_v6() ? fmt::format("[{}]:{}", address, peer.port()) : fmt::format("{}:{}", address, peer.port());
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
    const Duration shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout});
    timer.expires_after(std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(2), std::chrono::milliseconds(250)));
    timer.async_wait([this](error_code ec) {
        if (!ec) {
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
        : shared_(std::make_shared<Shared>(options, telemetry, clock)) {
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

    std::shared_ptr<Shared> shared_;
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
    const auto address = asio::ip::make_address(options.host, ec);
    if (!ec) {
        return Tcp::endpoint(address, options.port);
    }
    Tcp::resolver resolver(ios_.front()->context);
    const auto found = resolver.resolve(options.host, std::to_string(options.port), Tcp::resolver::passive, ec);
    if (ec || found.empty()) {
        return fail(ErrorKind::unavailable, fmt::format("cannot listen on '{}': {}", options.host, ec.message()), "use an address of this machine, such as 127.0.0.1");
    }
    for (const auto& entry : found) {
        if (entry.endpoint().address().is_v4()) {
            return entry.endpoint();  // "localhost" is what http://127.0.0.1 reaches
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
        return fail(ErrorKind::unavailable, fmt::format("cannot listen on {}:{}: {} ({})", shared_->options.host, endpoint.port(), ec.message(), step),
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
    shared_->routes = &routes;
    shared_->metrics.emplace(shared_->telemetry.metrics, routes);
    shared_->workers.emplace(shared_->options.worker_threads, shared_->options.worker_queue_max, [shared = shared_.get()](WorkerPool::Job job) {
        invoke(shared->telemetry.logger, *job.route, std::move(job.request), std::move(job.responder));
    });
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
        constexpr std::string_view refusal = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
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
