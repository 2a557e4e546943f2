#include "http/tls_stream.h"

#include <array>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <optional>
#include <string>

#include "http/tls_library.h"
#include "http/tls_server.h"

namespace helios::http {

namespace {

/// Why a handshake came to nothing, as its metric says it:
///   no_tls               what came is no TLS
///   version              no version, cipher or protocol that both have
///   client_certificate   none, or not of an authority that is trusted here
///   alert                the peer refused: most often it does not trust our certificate
///   gone                 the peer ended the connection in the middle
///   unfinished           it was not over in header_timeout, or before the server ended
///   other                anything else
std::string_view reason_of(unsigned long error) {
    const int reason = ERR_GET_REASON(error);
    switch (reason) {
        case SSL_R_HTTP_REQUEST:
        case SSL_R_HTTPS_PROXY_REQUEST:
        case SSL_R_WRONG_VERSION_NUMBER:
            return "no_tls";
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_VERSION_TOO_LOW:
        case SSL_R_NO_SHARED_CIPHER:
        case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        case SSL_R_NO_APPLICATION_PROTOCOL:
            return "version";
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            return "client_certificate";
        default:
            return reason >= SSL_AD_REASON_OFFSET ? "alert" : "other";
    }
}

bool is_upper(unsigned char byte) {
    return byte >= 'A' && byte <= 'Z';
}

}  // namespace

error_code not_tls() {
    return make_error_code(boost::system::errc::wrong_protocol_type);
}

error_code refused_tls() {
    return make_error_code(boost::system::errc::protocol_error);
}

struct TlsStream::State : std::enable_shared_from_this<State> {
    State(Socket s, const TlsServer& t)
        : socket(std::move(s)),
          server(t),
          wire(std::make_unique<TlsWire>(TlsWire{.fd = socket.native_handle()})),
          ssl(server.accept(*wire)) {}
    State(State&& other, Socket s)
        : socket(std::move(s)),
          server(other.server),
          wire(std::move(other.wire)),
          ssl(std::move(other.ssl)),
          is_plain(other.is_plain),
          failure(other.failure) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (ssl && !failure && !wire->established && wire->arrived != 0) {
            server.handshake_failed("unfinished");
        }
    }

    /// Bytes that no read has taken.
    std::size_t decrypted() const {
        return is_plain || failure ? 0 : static_cast<std::size_t>(SSL_pending(ssl.get()));
    }

    /// What an attempt to read came to.
    struct Attempt {
        error_code ec;
        std::size_t bytes = 0;
        std::optional<Socket::wait_type> wait;  ///< set: nothing yet
        bool came = false;                      ///< bytes of the peer, which gave nothing to read
    };

    Attempt try_read(asio::mutable_buffer into);
    Attempt read_plain(asio::mutable_buffer into);
    void read(asio::mutable_buffer into, bool step, Done done);
    void wait(Socket::wait_type what, asio::mutable_buffer into, bool step, Done done);
    error_code broken();
    error_code refuse_handshake();

    std::size_t write_now(std::string_view record, error_code& ec);
    bool try_write(std::string_view record);
    void flush();
    void flushed(error_code ec);
    void write(std::string_view record, Done done);
    void shutdown_send(error_code& ec);
    void say_close_notify(bool and_end);

    Socket socket;
    const TlsServer& server;
    std::unique_ptr<TlsWire> wire;
    Ssl ssl;
    bool is_plain = false;  ///< no TLS: bytes as they are
    error_code failure;     ///< nothing more is encrypted or decrypted
    std::string unsent;     ///< a record that OpenSSL has begun to send
    bool ends = false;      ///< behind `unsent`
    Waiter waiter;          ///< until `unsent` is gone
};

// Reading

TlsStream::State::Attempt TlsStream::State::read_plain(asio::mutable_buffer into) {
    Attempt attempt;
    attempt.bytes = socket.read_some(into, attempt.ec);
    if (attempt.ec == asio::error::would_block || attempt.ec == asio::error::try_again) {
        return {.ec = {}, .wait = Socket::wait_read};
    }
    return attempt;
}

TlsStream::State::Attempt TlsStream::State::try_read(asio::mutable_buffer into) {
    if (is_plain) {
        return read_plain(into);
    }
    if (failure) {
        return {.ec = failure, .wait = {}};
    }
    const auto before = wire->arrived;
    clear_library_errors();
    std::size_t bytes = 0;
    const int ok = SSL_read_ex(ssl.get(), into.data(), into.size(), &bytes);
    if (ok == 1) {
        return {.ec = {}, .bytes = bytes, .wait = {}};
    }
    switch (SSL_get_error(ssl.get(), ok)) {
        case SSL_ERROR_WANT_READ:
            return {.ec = {}, .wait = Socket::wait_read, .came = wire->arrived != before};
        case SSL_ERROR_WANT_WRITE:
            return {.ec = {}, .wait = Socket::wait_write, .came = wire->arrived != before};
        case SSL_ERROR_ZERO_RETURN:
            return {.ec = asio::error::eof, .wait = {}};
        default:
            return {.ec = broken(), .wait = {}};
    }
}

/// After an error of OpenSSL: what it means here.
error_code TlsStream::State::broken() {
    failure = wire->error != 0 ? error_code(wire->error, boost::system::system_category())
                               : error_code(asio::error::connection_aborted);
    return wire->established ? failure : refuse_handshake();
}

error_code TlsStream::State::refuse_handshake() {
    const auto error = ERR_peek_error();
    clear_library_errors();
    if (wire->error != 0 || wire->ended) {
        if (wire->arrived != 0) {  // a probe of the port says nothing
            server.handshake_failed("gone");
        }
        return failure;
    }
    const bool speaks_plainly = is_upper(wire->first_byte);
    const auto reason = speaks_plainly ? "no_tls" : reason_of(error);
    server.handshake_failed(reason);
    is_plain = true;
    return failure = speaks_plainly ? not_tls() : refused_tls();
}

void TlsStream::State::read(asio::mutable_buffer into, bool step, Done done) {
    const auto attempt = try_read(into);
    if (attempt.wait && !(step && attempt.came)) {
        wait(*attempt.wait, into, step, std::move(done));
        return;
    }
    asio::post(socket.get_executor(), [ec = attempt.ec, bytes = attempt.bytes,
                                       done = std::move(done)]() mutable { done(ec, bytes); });
}

void TlsStream::State::wait(Socket::wait_type what, asio::mutable_buffer into, bool step,
                            Done done) {
    socket.async_wait(what, [self = shared_from_this(), into, step,
                             done = std::move(done)](error_code ec) mutable {
        if (ec || !self->socket.is_open()) {
            done(ec ? ec : error_code(asio::error::operation_aborted), 0);
            return;
        }
        const auto attempt = self->try_read(into);
        if (attempt.wait && !(step && attempt.came)) {
            self->wait(*attempt.wait, into, step, std::move(done));
            return;
        }
        done(attempt.ec, attempt.bytes);
    });
}

// Writing

/// False: it has been begun, and must be tried again with the same bytes; or `failure` is set.
bool TlsStream::State::try_write(std::string_view record) {
    clear_library_errors();
    std::size_t taken = 0;
    const int ok = SSL_write_ex(ssl.get(), record.data(), record.size(), &taken);
    if (ok == 1) {
        return true;
    }
    if (SSL_get_error(ssl.get(), ok) != SSL_ERROR_WANT_WRITE) {
        failure = wire->error != 0 ? error_code(wire->error, boost::system::system_category())
                                   : error_code(asio::error::connection_aborted);
        clear_library_errors();
    }
    return false;
}

std::size_t TlsStream::State::write_now(std::string_view record, error_code& ec) {
    ec = {};
    if (is_plain) {
        return socket.write_some(asio::const_buffer(record.data(), record.size()), ec);
    }
    if (!unsent.empty()) {
        ec = asio::error::would_block;
        return 0;
    }
    ec = failure;
    if (ec || record.empty() || try_write(record)) {
        return ec ? 0 : record.size();
    }
    ec = failure;
    if (ec) {
        return 0;
    }
    unsent.assign(record);
    flush();
    return record.size();
}

void TlsStream::State::flush() {
    socket.async_wait(Socket::wait_write, [self = shared_from_this()](error_code ec) {
        if (ec || !self->socket.is_open()) {
            self->flushed(ec ? ec : error_code(asio::error::operation_aborted));
        } else if (self->try_write(self->unsent)) {
            self->flushed({});
        } else if (self->failure) {
            self->flushed(self->failure);
        } else {
            self->flush();
        }
    });
}

void TlsStream::State::flushed(error_code ec) {
    std::string().swap(unsent);
    if (!ec && ends) {
        say_close_notify(true);
    }
    if (auto waits = std::exchange(waiter, nullptr)) {
        waits(ec);
    }
}

void TlsStream::State::write(std::string_view record, Done done) {
    error_code ec;
    const auto bytes = write_now(record, ec);
    if (ec == asio::error::would_block) {
        waiter = [this, record = std::string(record),
                  done = std::move(done)](error_code failed) mutable {
            failed ? done(failed, 0) : write(record, std::move(done));
        };
    } else if (!unsent.empty()) {
        waiter = [bytes, done = std::move(done)](error_code failed) mutable {
            done(failed, failed ? 0 : bytes);
        };
    } else {
        asio::post(socket.get_executor(),
                   [ec, bytes, done = std::move(done)]() mutable { done(ec, bytes); });
    }
}

// Ending

void TlsStream::State::shutdown_send(error_code& ec) {
    ec = {};
    if (is_plain || !wire->established) {
        socket.shutdown(Socket::shutdown_send, ec);
    } else if (failure) {
        ec = failure;
    } else if (!unsent.empty()) {
        ends = true;
    } else {
        say_close_notify(true);
    }
}

/// `and_end`: then the end of what is sent.
void TlsStream::State::say_close_notify(bool and_end) {
    if (failure || is_plain || !wire->established || !unsent.empty()) {
        return;
    }
    clear_library_errors();
    const int said = SSL_shutdown(ssl.get());
    const bool again = said < 0 && SSL_get_error(ssl.get(), said) == SSL_ERROR_WANT_WRITE;
    clear_library_errors();
    if (again) {
        socket.async_wait(Socket::wait_write, [self = shared_from_this(), and_end](error_code ec) {
            if (!ec && self->socket.is_open()) {
                self->say_close_notify(and_end);
            }
        });
    } else if (and_end) {
        error_code ignored;
        socket.shutdown(Socket::shutdown_send, ignored);
    }
}

// What Stream sees

TlsStream::TlsStream(Socket socket, const TlsServer& server)
    : state_(std::make_shared<State>(std::move(socket), server)) {}
TlsStream::TlsStream(std::shared_ptr<State> state) : state_(std::move(state)) {}

/// What is under way holds the state, and hears that the socket has been closed.
TlsStream::~TlsStream() {
    if (state_) {
        error_code ignored;
        state_->socket.close(ignored);
    }
}

asio::mutable_buffer TlsStream::scratch_of_thread() {
    thread_local std::array<char, tls_record_bytes_max> scratch;
    return asio::buffer(scratch);
}

Executor TlsStream::get_executor() {
    return state_->socket.get_executor();
}

TlsStream TlsStream::moved_to(asio::io_context& context, error_code& ec) {
    Socket socket = moved_socket(state_->socket, context, ec);
    return TlsStream(std::make_shared<State>(std::move(*state_), std::move(socket)));
}

void TlsStream::read(asio::mutable_buffer into, bool step, Done done) {
    state_->read(into, step, std::move(done));
}

void TlsStream::write(std::string_view record, Done done) {
    state_->write(record, std::move(done));
}

std::size_t TlsStream::write_now(std::string_view record, error_code& ec) {
    return state_->write_now(record, ec);
}

void TlsStream::wait_writable(Waiter waiter) {
    if (state_->is_plain) {
        state_->socket.async_wait(Socket::wait_write, std::move(waiter));
    } else if (state_->unsent.empty()) {
        asio::post(get_executor(),
                   [waiter = std::move(waiter)]() mutable { waiter(error_code()); });
    } else {
        state_->waiter = std::move(waiter);
    }
}

bool TlsStream::has_unsent() const {
    return !state_->unsent.empty();
}

std::size_t TlsStream::unread(error_code& ec) {
    return state_->socket.available(ec) + state_->decrypted();
}

bool TlsStream::holds_unread() const {
    return state_->decrypted() > 0;
}

void TlsStream::shutdown_send(error_code& ec) {
    state_->shutdown_send(ec);
}

void TlsStream::begin_teardown() {
    state_->say_close_notify(false);
}

Socket& TlsStream::layer() {
    return state_->socket;
}

}  // namespace helios::http
