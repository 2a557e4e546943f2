#include "http/connection.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "http/coding.h"
#include "telemetry/trace_scope.h"

namespace helios::http {

namespace {

constexpr std::size_t read_bytes_least = 4u << 10;  // room offered to each read
constexpr Duration probe_wait_max = std::chrono::seconds(1);
constexpr std::int64_t retry_after_max = 60;  // seconds

void set_retry_after(Response& response, std::int64_t seconds) {
    std::erase_if(response.headers, [](const auto& h) { return h.first == "Retry-After"; });
    response.with("Retry-After", std::to_string(seconds));
}

Response nobody_takes() {
    return busy("answers that nobody has taken yet fill the memory that there is for them");
}

Response stopping() {
    auto response = problem(Error{ErrorKind::stopping, "the server is shutting down",
                                  "send again, to another server or later"});
    response.ours = true;
    return response;
}

/// The connection whose requests this thread is handing out: its answers need no detour.
thread_local Connection* handing_out = nullptr;

}  // namespace

void Connection::answer(std::uint64_t sequence, Response response) {
    if (handing_out == this) {
        complete(sequence, std::move(response));
        return;
    }
    inbox_->push({shared_from_this(), sequence, std::move(response)});
}

void Connection::complete(std::uint64_t sequence, Response response) {
    Slot& answered = slot(sequence);
    answered.answered = true;
    if (!stream_) {
        answered = Slot();
        shared_->end_requests(1);
        return;
    }
    // What POST answers is a part of what came with it, which is counted until it is sent.
    if (answered.route != nullptr && answered.route->method == Method::get) {
        answered.unsent = Charge(shared_->unsent);
        if (!answered.unsent.grow_to(response.body.capacity(),
                                     shared_->spare_for(answered.route))) {
            shared_->metrics->questions_unread.add();
            response = nobody_takes();
        }
    }
    answered.response = std::move(response);
}

void Connection::resume() {
    if (stream_) {
        process();
    }
}

void Connection::enter(Phase next) {
    HELIOS_ASSERT(next > phase_ || (phase_ == Phase::paused && next == Phase::taking),
                  "a conversation goes forwards");
    HELIOS_ASSERT(next != Phase::lingering || phase_ >= Phase::stopped,
                  "what lingers takes no more requests");
    phase_ = next;
}

void Connection::stop_taking() {
    if (phase_ < Phase::stopped) {
        enter(Phase::stopped);
    }
}

void Connection::read() {
    if (reading_ == Reading::under_way || !stream_) {
        return;
    }
    HELIOS_ASSERT(reading_ == Reading::idle, "nothing comes behind the end");
    reading_ = Reading::under_way;
    const bool large =
        reader_.in_body() && reader_.request().body.capacity() > Input::capacity_small;
    const auto room =
        input_.prepare(read_bytes_least, large ? Input::capacity_large : Input::capacity_small);
    read_room_ = room.size();
    stream_->async_read_step(asio::mutable_buffer(room.data(), room.size()),
                             [self = shared_from_this()](error_code ec, std::size_t bytes) {
                                 self->received(ec, bytes);
                             });
}

void Connection::received(error_code ec, std::size_t bytes) {
    reading_ = ec == asio::error::eof ? Reading::ended : Reading::idle;
    const auto turn = turn_;  // not over before what was read has been handed out
    owed_ -= std::min(owed_, bytes);
    if (owed_ == 0 || ec) {
        turn_.reset();
    }
    if (!stream_) {
        return;
    }
    if (ec == not_tls() || ec == refused_tls()) {
        refuse_handshake(ec == not_tls());
        return;
    }
    if (ec && ec != asio::error::eof) {
        close();
        return;
    }
    if (bytes == 0 && !ec) {  // it was nothing that could be handed out
        turn_ = turn;
        end_turn_if_read();
        read();
        return;
    }
    if (phase_ == Phase::lingering) {
        reading_ == Reading::ended ? close()
                                   : read();  // what comes now is read past, into the same buffer
        return;
    }
    input_.commit(bytes);
    came_ = true;
    if (reading_ == Reading::ended) {
        give_up_questions();
    }
    if (process(turn)) {
        end_turn_if_read();
    }
}

/// Whoever speaks plainly is told so; an alert that is on its way is given the time to arrive.
void Connection::refuse_handshake(bool speaks_http) {
    at_ = now();
    if (speaks_http) {
        refuse(Response::text(400, "this port speaks https: write https:// in the URL\n"), false);
    } else {
        stop_taking();
    }
    flush();
    finish();
}

void Connection::note_arrival() {
    came_ = false;
    arrived_ = io_->lag.arrived(at_);
    if (reader_.busy()) {  // until then it was the peer who was waited for
        waiting_since_ += std::max(Duration::zero(), arrived_ - starved_at_);
    }
}

/// False: it has left; nothing of it may be touched.
bool Connection::process(const std::shared_ptr<Turn>& turn) {
    const auto self = shared_from_this();
    take_and_answer();
    note_unfinished();
    if (!leaving_) {
        return true;
    }
    if (turn && writing_ != Writing::blocked) {
        leaving_turn_ = turn;
    }
    if (!can_leave()) {
        return true;
    }
    leave();
    return false;
}

/// All that was asked for here has been answered. No read is under way: none is begun any more.
bool Connection::can_leave() const {
    return stream_ && head_ == tail_ && all_sent() && reading_ != Reading::under_way;
}

void Connection::leave() {
    leaving_ = false;
    const auto self = shared_from_this();
    Io& home = *io_->next_home();
    error_code ec;
    auto moved = stream_->moved_to(home.context, ec);
    if (ec) {
        leaving_turn_.reset();
        close();
        return;
    }
    io_->let_go(*this);
    stream_.emplace(std::move(moved));
    io_ = &home;
    inbox_ = home.inbox;
    asio::post(home.context, [self, &home, turn = std::exchange(leaving_turn_, nullptr)] {
        home.take_in(self);
        self->arrive();
    });
}

void Connection::arrive() {
    if (io_->ended) {
        shut_down();
    } else {
        process();
        end_turn_if_read();
    }
}

void Connection::note_unfinished() {
    const bool is = stream_ && (reader_.busy() || cut_off_);
    if (is != unfinished_) {
        unfinished_ = is;
        is ? shared_->begin_unfinished() : shared_->end_unfinished();
    }
}

void Connection::take_and_answer() {
    at_ = now();
    if (came_) {
        note_arrival();
    }
    Connection* const outer = std::exchange(handing_out, this);
    bool starved = false;
    do {
        while (!starved && can_take()) {
            starved = !step();
        }
        flush();
    } while (!starved && stream_ && can_take());
    handing_out = outer;
    if (!stream_) {
        return;
    }
    if (starved && reading_ == Reading::ended && phase_ < Phase::stopped) {
        if (reader_.busy()) {
            refuse(problem(400, "Bad request", "the request ends in the middle"), false);
        }
        stop_taking();
        flush();
    }
    finish();
    if (!stream_ || phase_ == Phase::lingering) {
        turn_.reset();
        return;
    }
    if (writing_ == Writing::blocked) {
        turn_.reset();  // it is the peer who holds things up
        leaving_turn_.reset();
    }
    arm_read_deadline();
    if (can_take()) {
        read();
    }
}

void Connection::owe(const std::shared_ptr<Turn>& turn) {
    if (!stream_ || writing_ == Writing::blocked || phase_ >= Phase::stopped) {
        return;
    }
    error_code ec;
    const std::size_t arrived = stream_->unread(ec);
    if (!ec && arrived > 0) {
        owed_ = arrived + read_room_;  // the read under way may have taken some of them already
        turn_ = turn;
    }
}

/// Nothing is unread: what the read under way has taken is handed out by a handler that stands in
/// line before this one.
void Connection::end_turn_if_read() {
    error_code ec;
    if (turn_ && stream_ && stream_->unread(ec) == 0) {
        asio::post(io_->context, [turn = std::exchange(turn_, nullptr)] {});
    }
}

void Connection::arm_read_deadline() {
    if (!can_take()) {
        read_deadline_ = never;  // it is we who hold things up
        if (phase_ == Phase::taking) {
            enter(Phase::paused);
        }
        return;
    }
    const bool was_paused = phase_ == Phase::paused;
    if (was_paused) {
        enter(Phase::taking);
    }
    if (reader_.busy()) {
        if (was_paused) {
            reading_since_ = at_;
        }
        read_deadline_ = reading_since_ +
                         (reader_.in_body() ? options().body_timeout : options().header_timeout);
    } else {
        read_deadline_ = pending() == 0 ? at_ + options().idle_timeout : never;
        input_.shrink();
    }
}

/// False: more bytes are needed.
bool Connection::step() {
    using Outcome = RequestReader::Outcome;
    const bool fresh = !reader_.busy();
    const auto outcome = reader_.advance(input_);
    if (fresh && reader_.busy()) {
        reading_since_ = at_;
        waiting_since_ = arrived_;
    }
    owes_continue_ = owes_continue_ && outcome == Outcome::starved;
    switch (outcome) {
        case Outcome::starved:
            starved_at_ = at_;
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
        // A body that is not read cannot be told from the next request: go on only where there is
        // none.
        refuse(*std::move(verdict.refusal),
               !head.has_body && head.keep_alive && !shared_->draining);
        return;
    }
    leaving_ = !io_->homes.empty() && !route_->probe;
    reader_.set_body_limit(verdict.body_bytes_max, verdict.spare);
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
    taken.trace = reader_.request().trace_id();
    taken.charge = std::move(reader_.charge());
    if (shared_->telemetry.logger.enabled(telemetry::Level::debug)) {
        taken.log_path = reader_.request().path;
        taken.log_remote = shared_->proxies.client_of(remote_, reader_.request().headers);
    }
    if (!keep_alive) {
        stop_taking();
    }
    shared_->begin_request();
    return sequence;
}

void Connection::refuse(Response response, bool keep_alive) {
    owes_continue_ = leaving_ = false;
    if (!keep_alive && reading_ != Reading::ended &&
        (reader_.in_head() || reader_.head().has_body)) {
        cut_off_ = true;
        note_unfinished();
    }
    const auto sequence = take_slot(keep_alive);
    reader_.drop();
    complete(sequence, std::move(response));
}

Responder Connection::responder_of(const Route& route, const Request& request,
                                   std::uint64_t sequence) {
    // No more than fits into the responder: what senders cost is counted.
    auto send = [self = shared_from_this(), sequence](Response response) {
        self->answer(sequence, std::move(response));
    };
    if (route.method != Method::get || route.websocket) {
        return Responder(std::move(send));
    }
    return Responder(
        [send = std::move(send), coded = accepts_coding(request, "gzip")](Response response) {
            code(response, coded);  // on the thread that answers: a worker's, where it is blocking
            send(std::move(response));
        });
}

void Connection::dispatch() {
    const Route& route = *route_;
    // Behind a request for a WebSocket come frames, or nothing: if it is refused, the connection
    // ends.
    const auto sequence =
        take_slot(reader_.head().keep_alive && !shared_->draining && !route.websocket);
    if (route.websocket) {
        websocket_key_ = *reader_.request().header("Sec-WebSocket-Key");
    }
    Request request = std::move(reader_.request());
    reader_.drop();
    request.remote =
        shared_->proxies.empty() ? remote_ : shared_->proxies.client_of(remote_, request.headers);
    request.peer = peer_;
    request.waiting_since = waiting_since_;
    auto responder = responder_of(route, request, sequence);
    auto outcome = shared_->identify(route, request);
    if (auto* refusal = std::get_if<Response>(&outcome)) {
        responder.send(std::move(*refusal));
        return;
    }
    auto& caller = std::get<Caller>(outcome);
    if (!route.blocking && !route.probe) {
        shared_->invoke(route, std::move(request), std::move(caller), std::move(responder));
        return;
    }
    post(route, sequence, std::move(request), std::move(caller), std::move(responder));
}

/// To a worker, or to the thread of the probes. Questions count from here.
void Connection::post(const Route& route, std::uint64_t sequence, Request request, Caller caller,
                      Responder responder) {
    // Who has proved who they are is one, wherever they ask from; else an address is.
    std::string whose =
        caller.proved ? "caller " + caller.subject : std::string(request.remote_address());
    WorkerPool::Job job{&route,
                        std::move(request),
                        std::move(responder),
                        std::move(caller),
                        std::move(whose),
                        at_ + (route.probe ? probe_wait_max : options().worker_wait_max),
                        nullptr};
    if (!route.probe) {
        slot(sequence).gone = job.gone =
            std::make_shared<std::atomic<bool>>(reading_ == Reading::ended);
    }
    if (!route.probe &&
        shared_->unsent.used() >= shared_->unsent.bytes_max() - shared_->spare_for(&route)) {
        shared_->metrics->questions_unread.add();
        job.responder.send(nobody_takes());
        return;
    }
    auto& pool = route.probe ? *shared_->probes : *shared_->workers;
    const auto refused = pool.try_post(job);
    if (!refused) {
        return;
    }
    if (!route.probe) {
        (refused->late ? shared_->metrics->questions_late : shared_->metrics->questions_full).add();
    }
    auto response = busy(refused->late ? "this request's turn would come when its time is over"
                                       : "too many requests of this kind are waiting");
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(refused->again).count();
    set_retry_after(response, std::clamp<std::int64_t>(seconds, 1, retry_after_max));
    job.responder.send(std::move(response));
}

/// The peer has ended: nobody waits for what workers have not answered yet.
void Connection::give_up_questions() {
    bool any = false;
    for (std::uint64_t i = head_; i != tail_; ++i) {
        if (slot(i).gone && !slot(i).answered) {
            slot(i).gone->store(true);
            any = true;
        }
    }
    if (any) {
        shared_->workers->forget_gone();
    }
}

void Connection::flush() {
    if (head_ != tail_ && slot(head_).answered) {
        at_ = now();
        for (; phase_ < Phase::sealed && head_ != tail_ && slot(head_).answered &&
               !slot(head_).response.websocket;
             ++head_) {
            put_in_line(slot(head_));
        }
    }
    if (owes_continue_ && head_ == tail_ && phase_ < Phase::sealed) {
        owes_continue_ = false;
        out_.append_raw("HTTP/1.1 100 Continue\r\n\r\n");
    }
    write();
    if (stream_ && all_sent() && head_ != tail_ && slot(head_).answered &&
        slot(head_).response.websocket) {
        upgrade();
    }
}

/// The WebSocket's turn has come: everything before it has been sent.
void Connection::upgrade() {
    Slot& accepted = slot(head_);
    HELIOS_ASSERT(reading_ != Reading::under_way && head_ + 1 == tail_,
                  "a request for a WebSocket is the last that is read");
    HELIOS_ASSERT(accepted.route != nullptr && accepted.route->websocket,
                  "only a WebSocket's route accepts one");
    const auto events = std::exchange(accepted.response.websocket, nullptr);
    if (shared_->draining || !shared_->begin_websocket()) {
        accepted.response =
            shared_->draining
                ? stopping()
                : problem(503, "Too many streams", "as many WebSockets are open as may be",
                          "close one, or raise http.websockets_max (HELIOS_HTTP_WEBSOCKETS_MAX)");
        flush();
        return;
    }
    measure(accepted);
    accepted = Slot();
    ++head_;
    shared_->end_requests(1);
    websocket_ = open_websocket(shared_, *std::move(stream_),
                                {websocket_key_, std::string(input_.view()), events},
                                [self = shared_from_this()] {
                                    self->websocket_.reset();
                                    self->shared_->end_websocket();
                                    self->io_->remove(*self);
                                });
    stream_.reset();
    turn_.reset();
    input_ = Input();
    read_deadline_ = write_deadline_ = never;
    websocket_->start();
}

void Connection::put_in_line(Slot& answered) {
    Response& response = answered.response;
    answered.framing.keep_alive =
        answered.framing.keep_alive && !response.close && !is_last_of_drain();
    if (response.ours || response.status == 500) {
        shared_->tell_refused(answered.route);
    }
    measure(answered);
    if (!answered.framing.keep_alive) {
        enter(Phase::sealed);
    }
    out_.append(std::move(response), answered.framing, io_->date);
    out_charge_.absorb(answered.charge);
    out_unsent_.absorb(answered.unsent);
    ++out_requests_;
    answered = Slot();
}

/// The server ends, and this is the last answer that anybody waits for here.
bool Connection::is_last_of_drain() {
    error_code ec;
    return shared_->draining && head_ + 1 == tail_ && !reader_.busy() && input_.empty() &&
           stream_ && stream_->unread(ec) == 0;
}

void Connection::measure(const Slot& answered) const {
    const Response& response = answered.response;
    const auto& metrics = shared_->metrics->of(answered.route);
    const Duration elapsed = at_ - answered.started;
    metrics.count(response.status, std::chrono::duration<double>(elapsed).count());
    telemetry::Logger& logger = shared_->telemetry.logger;
    const telemetry::TraceScope scope(answered.trace);
    if (response.status == 500) {
        logger.error("http", "a request was answered with 500",
                     {{"route", metrics.route}, {"method", metrics.method}});
    }
    if (logger.enabled(telemetry::Level::debug)) {
        logger.debug("http", "request",
                     {{"method", metrics.method},
                      {"path", answered.log_path},
                      {"route", metrics.route},
                      {"status", response.status},
                      {"bytes", std::uint64_t{response.body.size()}},
                      {"micros", std::int64_t{elapsed.count() / 1000}},
                      {"remote", answered.log_remote},
                      {"peer", peer_}});
    }
}

void Connection::write() {
    if (writing_ == Writing::blocked || !stream_) {
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
        const std::size_t sent = stream_->write_some(buffers, ec);
        if (ec == asio::error::would_block || ec == asio::error::try_again) {
            write_later();
            return;
        }
        if (ec) {
            close();
            return;
        }
        out_.consume(sent);
        write_deadline_ = never;  // progress
    }
    if (stream_->has_unsent()) {
        write_later();
        return;
    }
    write_deadline_ = never;
    out_charge_.release();
    out_unsent_.release();
    shared_->end_requests(std::exchange(out_requests_, 0));
}

void Connection::write_later() {
    writing_ = Writing::blocked;
    if (write_deadline_ == never) {
        write_deadline_ = now() + options().write_timeout;
    }
    stream_->async_wait_writable([self = shared_from_this()](error_code failed) {
        self->writing_ = Writing::idle;
        if (!self->stream_) {
            return;
        }
        if (failed) {
            self->close();
        } else {
            self->process();
        }
    });
}

/// After the last answer: says so, then reads past what the peer still sends, since closing on
/// unread bytes would reset the connection and could take the answer with it.
void Connection::finish() {
    const bool all_said = phase_ == Phase::sealed || (phase_ == Phase::stopped && head_ == tail_);
    if (!stream_ || !all_sent() || !all_said) {
        return;
    }
    error_code ec;
    stream_->shutdown_send(ec);
    if (ec || reading_ == Reading::ended) {
        close();
        return;
    }
    enter(Phase::lingering);
    read_deadline_ = now() + linger_time;
    input_.consume(input_.view().size());
    reader_.drop();
    read();
}

void Connection::check_deadlines(Duration at) {
    if (websocket_) {
        const auto kept = websocket_;  // it may end
        kept->check_deadlines(at);
        return;
    }
    if (at >= write_deadline_ ||
        (at >= read_deadline_ && (phase_ == Phase::lingering || !reader_.busy()))) {
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

/// No deadline that was set before counts the standstill.
void Connection::forgive(Duration since, Duration ours) {
    if (websocket_) {
        websocket_->forgive(since, ours);
        return;
    }
    if (at_ > since) {
        return;
    }
    for (Duration* deadline : {&read_deadline_, &write_deadline_}) {
        *deadline = *deadline == never ? never : *deadline + ours;
    }
    reading_since_ += ours;
}

void Connection::drain() {
    if (websocket_) {
        const auto kept = websocket_;
        kept->go_away();
        return;
    }
    if (reader_.in_head()) {
        stop_waiting();
    }
}

void Connection::stop_waiting() {
    if (stream_ && reader_.busy() && phase_ < Phase::stopped) {
        const auto self = shared_from_this();
        at_ = now();
        refuse(stopping(), false);
        process();
    }
}

void Connection::shut_down() {
    if (websocket_) {
        const auto kept = websocket_;
        kept->drop();
        return;
    }
    if (stream_ && reader_.busy() && all_sent() && head_ == tail_) {
        refuse(stopping(), false);
        flush();
    }
    close();
}

void Connection::close() {
    if (!stream_) {
        return;
    }
    const auto self = shared_from_this();
    turn_.reset();
    leaving_turn_.reset();
    if (all_sent() && head_ == tail_) {  // else what was cut off would look whole
        stream_->begin_teardown();
    }
    stream_->close();
    stream_.reset();
    reader_.drop();
    note_unfinished();
    read_deadline_ = write_deadline_ = never;
    give_up_questions();
    std::size_t ended = std::exchange(out_requests_, 0);
    out_charge_.release();
    out_unsent_.release();
    for (std::uint64_t i = head_; i != tail_; ++i) {
        if (slot(i).answered) {  // the others end with their answers
            slot(i) = Slot();
            ++ended;
        }
    }
    shared_->end_requests(ended);
    io_->remove(*this);
}

}  // namespace helios::http
