#include "http/server.h"

#include <algorithm>
#include <fmt/format.h>
#include <mutex>
#include <optional>
#include <thread>

#include "base/assert.h"
#include "base/thread_name.h"
#include "http/connection.h"

namespace helios::http {

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
    thread = std::thread([this] {
        name_this_thread("http");
        context.run();
    });
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
    const Duration shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout,
                                        options.websocket_ping_interval, options.websocket_pong_timeout});
    timer.expires_after(std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(2), std::chrono::milliseconds(250)));
    timer.async_wait([this](error_code ec) {
        // Shutting down cancels the timer, but not a tick that was due already: that one must not set it again.
        if (!ec && work.owns_work()) {
            tick();
        }
    });
}

void Io::drain() {
    for (std::size_t i = connections.size(); i-- > 0;) {
        connections[i]->drain();
    }
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

namespace {

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
    for (const auto& io : ios_) {
        asio::post(io->context, [&io = *io] { io.drain(); });
    }
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
