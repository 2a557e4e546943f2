#include "http/server.h"

#include <algorithm>
#include <poll.h>
#include <semaphore>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

#include "base/assert.h"
#include "base/mutex.h"
#include "base/thread_name.h"
#include "http/connection.h"
#include "http/listen.h"

namespace helios::http {

void Inbox::deliver() {
    {
        const MutexLock lock(mutex_);
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
    auto stream = shared->tls ? Stream(std::move(socket), *shared->tls) : Stream(std::move(socket));
    auto remote = stream.remote();
    if (!remote || ended) {
        --shared->connections;
        if (remote) {
            shared->tell_refused(nullptr);
        }
        return;
    }
    auto connection =
        std::make_shared<Connection>(shared, *this, std::move(stream), *std::move(remote));
    take_in(connection);
    connection->start();
}

void Io::remove(Connection& connection) {
    let_go(connection);
    --shared->connections;
}

void Io::let_go(Connection& connection) {
    const std::size_t index = connection.index;
    std::swap(connections[index], connections.back());
    connections[index]->index = index;
    connections.pop_back();
}

void Io::take_in(std::shared_ptr<Connection> connection) {
    connection->index = connections.size();
    connections.push_back(std::move(connection));
}

void Io::start() {
    if (const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); fd >= 0) {
        error_code ec;
        bell.assign(fd, ec);
        if (ec) {
            ::close(fd);
        }
    }
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
    ticked_ns = at.count();
    // After a standstill of ours, what peers sent meanwhile has arrived and is unread: they were
    // not silent.
    if (const Duration late = next_tick == never ? Duration::zero() : at - next_tick;
        late >= standstill_min) {
        for (const auto& connection : connections) {
            connection->forgive(next_tick, late);
        }
    }
    for (std::size_t i = connections.size();
         i-- > 0;) {  // backwards: closing one moves the last into its place
        connections[i]->check_deadlines(at);
    }
    measure_lag();
    shared->metrics->connections.set(static_cast<double>(shared->connections.load()));
    shared->metrics->inflight_bytes.set(static_cast<double>(shared->budget.used()));
    shared->metrics->inflight_requests.set(static_cast<double>(shared->inflight()));
    shared->metrics->unsent_bytes.set(static_cast<double>(shared->unsent.used()));
    shared->workers->look_after_waiting();
    shared->probes->look_after_waiting();
    const auto questions = shared->workers->numbers();
    shared->metrics->questions_waiting.set(static_cast<double>(questions.waiting));
    shared->metrics->questions_running.set(static_cast<double>(questions.running));
    const Duration shortest = std::min(
        {options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout,
         options.websocket_ping_interval, options.websocket_pong_timeout});
    const auto pause = std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(2),
                                            std::chrono::milliseconds(250));
    next_tick = at + pause;
    timer.expires_after(pause);
    timer.async_wait([this](error_code ec) {
        // Shutting down cancels the timer, but not a tick that was due already: that one must not
        // set it again.
        if (!ec && work.owns_work()) {
            tick();
        }
    });
}

void Io::measure_lag() {
    if (lag.under_way() || !bell.is_open()) {
        return;
    }
    bell.async_read_some(asio::buffer(&rung, sizeof rung), [this](error_code ec, std::size_t) {
        if (!ec) {
            shared->metrics->loop_lag.observe(
                std::chrono::duration<double>(lag.came_back(shared->clock.monotonic())).count());
        }
    });
    lag.sent(shared->clock.monotonic());
    const std::uint64_t once = 1;
    if (::write(bell.native_handle(), &once, sizeof once) < 0) {
        error_code ignored;  // never, of an eventfd
        bell.close(ignored);
        lag = {};
    }
}

void Io::take_turn(const std::shared_ptr<Turn>& turn) {
    // A read that is over may stand in line to be handed out, though its bytes have left the
    // socket: behind this.
    asio::post(context, [turn] {});
    std::vector<pollfd> handles;
    handles.reserve(connections.size());
    for (const auto& connection : connections) {
        handles.push_back({connection->waiting_handle(), POLLIN, 0});
    }
    if (handles.empty() || ::poll(handles.data(), handles.size(), 0) < 0) {
        return;
    }
    for (std::size_t i = 0; i < handles.size(); ++i) {
        if ((handles[i].revents & POLLIN) != 0 || connections[i]->holds_unread()) {
            connections[i]->owe(turn);
        }
    }
}

void Io::drain() {
    for (std::size_t i = connections.size(); i-- > 0;) {
        connections[i]->drain();
    }
}

void Io::stop_waiting() {
    for (std::size_t i = connections.size(); i-- > 0;) {
        connections[i]->stop_waiting();
    }
}

void Io::shut_down() {
    ended = true;
    inbox->close();
    timer.cancel();
    error_code ignored;
    bell.close(ignored);
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
        for (unsigned i = 0; i <= options.io_threads; ++i) {
            ios_.push_back(std::make_unique<Io>(shared_));
            if (i != 0) {
                ios_.front()->homes.push_back(ios_.back().get());
            }
        }
    }
    ~AsioServer() override { drain(Duration::zero()); }

    Status listen();

    std::string host() const override { return addresses_.front().host; }
    std::uint16_t port() const override { return addresses_.front().port; }
    std::vector<Address> addresses() const override { return addresses_; }
    void start(const RouteTable& routes, Identify identify, Refused refused) override;
    void turn(std::function<void()> done) override;
    void drain(Duration limit) override;
    bool turns_within(Duration limit) override;
    Duration silence() const override;

private:
    /// One of the addresses that are listened on.
    struct Door {
        Acceptor acceptor;
        asio::steady_timer again;  ///< after a failure
    };

    void accept(Door& door);
    void accept_waiting(Door& door);
    void welcome(Io& io, Socket socket);

    std::shared_ptr<Serving> shared_;
    /// The first accepts, and serves probes; the others are the homes of all else.
    std::vector<std::unique_ptr<Io>> ios_;
    std::vector<std::unique_ptr<Door>> doors_;
    std::vector<Address> addresses_;
    Mutex drain_mutex_;
    bool started_ = false;
    bool drained_ HELIOS_GUARDED_BY(drain_mutex_) = false;
};

Status AsioServer::listen() {
    if (shared_->options.tls.on()) {
        HELIOS_TRY_ASSIGN(shared_->tls, TlsServer::open(shared_->options.tls, shared_->telemetry,
                                                        shared_->clock));
    }
    auto& context = ios_.front()->context;
    for (auto& address : shared_->options.addresses()) {
        HELIOS_TRY_ASSIGN(auto acceptors, listen_on(context, address.host, address.port));
        for (auto& acceptor : acceptors) {
            error_code ignored;  // it has been asked already
            address.port = acceptor.local_endpoint(ignored).port();
            doors_.push_back(
                std::make_unique<Door>(Door{std::move(acceptor), asio::steady_timer(context)}));
        }
        addresses_.push_back(std::move(address));
    }
    return {};
}

void AsioServer::start(const RouteTable& routes, Identify identify, Refused refused) {
    HELIOS_ASSERT(!started_, "a server is started once");
    started_ = true;
    shared_->start(routes, std::move(identify), std::move(refused));
    for (const auto& door : doors_) {
        accept(*door);
    }
    for (const auto& io : ios_) {
        io->start();
    }
}

void AsioServer::accept(Door& door) {
    Io& io = *ios_.front();
    door.acceptor.async_accept(io.context, [this, &door, &io](error_code ec, Socket socket) {
        if (!door.acceptor.is_open()) {
            return;
        }
        if (!ec) {
            welcome(io, std::move(socket));
            accept(door);
            return;
        }
        // Out of file descriptors, most likely: those waiting stay in the backlog.
        shared_->tell_refused(nullptr);
        shared_->telemetry.logger.warn("http", "cannot accept a connection",
                                       {{"why", ec.message()}});
        door.again.expires_after(std::chrono::milliseconds(100));
        door.again.async_wait([this, &door](error_code cancelled) {
            if (!cancelled) {
                accept(door);
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
        shared_->tell_refused(nullptr);
        if (shared_->tls) {
            return;  // what is not encrypted would be no answer
        }
        constexpr std::string_view refusal =
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nCache-Control: no-store\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n";
        socket.write_some(asio::const_buffer(refusal.data(), refusal.size()), ignored);
        return;
    }
    asio::dispatch(io.context, [&io, accepted = std::move(socket)]() mutable {
        io.adopt(std::move(accepted));
    });
}

/// All that stood in the backlog when it was called, or a few more: the backlog is no longer than
/// `listen` allowed.
void AsioServer::accept_waiting(Door& door) {
    error_code ec;
    door.acceptor.non_blocking(true, ec);
    for (int n = 0; !ec && n < asio::socket_base::max_listen_connections; ++n) {
        Io& io = *ios_.front();
        Socket socket(io.context);
        door.acceptor.accept(socket, ec);
        if (!ec) {
            welcome(io, std::move(socket));
        }
    }
}

void AsioServer::turn(std::function<void()> done) {
    auto turn = std::make_shared<Turn>([shared = shared_, done = std::move(done)] {
        if (!shared->draining) {
            done();
        }
    });
    asio::post(ios_.front()->context, [this, turn = std::move(turn)] {
        if (shared_->draining) {
            return;
        }
        for (const auto& door : doors_) {
            accept_waiting(*door);
        }
        // Behind what has been read and stands in line to be handed out; at the others behind all
        // that has left here by then, twice, since what arrives there reads on.
        Io& first = *ios_.front();
        asio::post(first.context, [&first, turn] {
            first.take_turn(turn);
            for (Io* home : first.homes) {
                asio::post(home->context, [home, turn] {
                    asio::post(home->context, [home, turn] { home->take_turn(turn); });
                });
            }
        });
    });
}

void AsioServer::drain(Duration limit) {
    const MutexLock lock(drain_mutex_);
    if (std::exchange(drained_, true)) {
        return;
    }
    shared_->draining = true;
    if (shared_->tls) {
        shared_->tls->stop();
    }
    if (!started_) {
        return;
    }
    asio::post(ios_.front()->context, [this] {
        error_code ignored;
        for (const auto& door : doors_) {
            accept_waiting(*door);  // they came in time to be told
            door->acceptor.close(ignored);
            door->again.cancel();
        }
    });
    for (const auto& io : ios_) {
        asio::post(io->context, [&io = *io] { io.drain(); });
    }
    // What is still being sent, or asked, when little time is left is refused while there is time
    // to say so.
    const Duration to_say_so = std::min<Duration>(limit / 4, linger_time);
    if (!shared_->wait_until_idle(limit - to_say_so)) {
        shared_->workers->give_up();
        for (const auto& io : ios_) {
            asio::post(io->context, [&io = *io] { io.stop_waiting(); });
        }
        shared_->wait_until_idle(to_say_so);
    }
    shared_->workers->stop();
    shared_->probes->stop();
    for (const auto& io : ios_) {
        asio::post(io->context, [&io = *io] { io.shut_down(); });
    }
    for (const auto& io : ios_) {
        io->thread.join();
    }
    shared_->metrics->connections.set(0);
}

Duration AsioServer::silence() const {
    Duration longest{};
    for (const auto& io : ios_) {
        longest = std::max(longest, shared_->clock.monotonic() - io->ticked_at());
    }
    return longest;
}

bool AsioServer::turns_within(Duration limit) {
    // Shared: a loop that is late still finds it.
    const auto turned = std::make_shared<std::counting_semaphore<>>(0);
    for (const auto& io : ios_) {
        asio::post(io->context, [turned] { turned->release(); });
    }
    return std::all_of(ios_.begin(), ios_.end(),
                       [&](const auto&) { return turned->try_acquire_for(limit); });
}

}  // namespace

Result<std::unique_ptr<Server>> Server::bind(const ServerOptions& options,
                                             telemetry::Telemetry& telemetry, const Clock& clock) {
    HELIOS_TRY(options.validate());
    auto server = std::make_unique<AsioServer>(options, telemetry, clock);
    HELIOS_TRY(server->listen());
    return server;
}

Status Server::check_tls(const ServerOptions& options, Instant now) {
    return options.tls.on() ? TlsServer::check(options.tls, now) : Status{};
}

Status Server::check(const ServerOptions& options) {
    for (const auto& address : options.addresses()) {
        HELIOS_TRY(check_listen(address.host, address.port));
    }
    return {};
}

}  // namespace helios::http
