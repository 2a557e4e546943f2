#include "http/tls_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/pause.h"
#include "base/thread_name.h"

namespace helios::http {

namespace {

constexpr std::size_t file_bytes_max = 1u << 20;
constexpr Duration warned_ahead = std::chrono::days(14);

constexpr std::array<std::string_view, 7> failure_reasons{
    "no_tls", "version", "client_certificate", "alert", "gone", "unfinished", "other"};

/// The bytes of all files.
struct Texts {
    std::string certificate, key, client_ca;
    friend bool operator==(const Texts&, const Texts&) = default;
};

Result<std::string> read_file(std::string_view option, const std::string& path) {
    const auto refused = [&](int error) {
        const auto kind = error == ENOENT                     ? ErrorKind::not_found
                          : error == EACCES || error == EPERM ? ErrorKind::denied
                                                              : ErrorKind::unavailable;
        return fail(kind, fmt::format("{} {}: {}", option, path, std::strerror(error)));
    };
    std::error_code ec;
    const auto status = std::filesystem::status(path, ec);
    if (!std::filesystem::exists(status)) {
        return refused(ec ? ec.value() : ENOENT);
    }
    if (!std::filesystem::is_regular_file(status)) {  // a pipe would be waited for
        return fail(ErrorKind::unavailable, fmt::format("{} {}: not a file", option, path));
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return refused(errno);
    }
    std::string text(file_bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (file.bad()) {
        return refused(EIO);
    }
    if (text.size() > file_bytes_max) {
        return fail(ErrorKind::exhausted,
                    fmt::format("{} {}: larger than {} bytes", option, path, file_bytes_max));
    }
    return text;
}

Result<Texts> read_files(const TlsOptions& options) {
    Texts texts;
    HELIOS_TRY_ASSIGN(texts.certificate, read_file("http.tls.cert_file", options.cert_file));
    HELIOS_TRY_ASSIGN(texts.key, read_file("http.tls.key_file", options.key_file));
    if (!options.client_ca_file.empty()) {
        HELIOS_TRY_ASSIGN(texts.client_ca,
                          read_file("http.tls.client_ca_file", options.client_ca_file));
    }
    return texts;
}

/// What new connections get.
struct Identity {
    SslContext context;
    Instant expires;
};

std::unexpected<Error> wrong(std::string_view option, const std::string& path,
                             std::string_view what, std::string hint = {}) {
    return fail(ErrorKind::invalid, fmt::format("{} {}: {}", option, path, what), std::move(hint));
}

Result<std::vector<std::shared_ptr<X509>>> certificates_of(std::string_view option,
                                                           const std::string& path,
                                                           const std::string& pem) {
    auto certificates = parse_certificates(pem);
    if (!certificates) {
        return wrong(option, path, certificates.error().what, certificates.error().hint);
    }
    return certificates;
}

Instant instant_of(const ASN1_TIME* time) {
    std::tm parts{};
    ASN1_TIME_to_tm(time, &parts);
    return Instant(std::chrono::seconds(::timegm(&parts)));
}

Status check_time(const std::string& path, const X509& certificate, Instant now) {
    const Instant from = instant_of(X509_get0_notBefore(&certificate));
    const Instant until = instant_of(X509_get0_notAfter(&certificate));
    if (now < from) {
        return wrong("http.tls.cert_file", path, "not valid before " + format_rfc3339(from));
    }
    if (now >= until) {
        return wrong("http.tls.cert_file", path, "has expired at " + format_rfc3339(until),
                     "put a new certificate and its key there");
    }
    return {};
}

/// No terminal is asked for a passphrase.
int no_passphrase(char* /*into*/, int /*size*/, int /*writes*/, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

Status use_key(ssl_ctx_st& context, const TlsOptions& options, const std::string& pem,
               const X509& certificate) {
    clear_library_errors();
    const std::unique_ptr<BIO, int (*)(BIO*)> text(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    bool encrypted = false;
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
        PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, &encrypted), EVP_PKEY_free);
    const auto why = take_library_error();
    if (encrypted) {
        return wrong("http.tls.key_file", options.key_file, "the key has a passphrase",
                     "write it without one, readable for the server alone");
    }
    if (key == nullptr) {
        return wrong("http.tls.key_file", options.key_file, "no private key: " + why,
                     "PEM is expected: -----BEGIN PRIVATE KEY-----");
    }
    if (X509_check_private_key(&certificate, key.get()) != 1) {
        clear_library_errors();
        return wrong("http.tls.key_file", options.key_file,
                     fmt::format("not the key of the certificate in {}", options.cert_file),
                     "the first certificate in the file is the server's own");
    }
    if (SSL_CTX_use_PrivateKey(&context, key.get()) != 1) {
        return wrong("http.tls.key_file", options.key_file, take_library_error());
    }
    return {};
}

Status use_client_ca(ssl_ctx_st& context, const TlsOptions& options, const std::string& pem) {
    HELIOS_TRY_ASSIGN(const auto roots,
                      certificates_of("http.tls.client_ca_file", options.client_ca_file, pem));
    for (const auto& root : roots) {
        clear_library_errors();
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(&context), root.get()) != 1 ||
            SSL_CTX_add_client_CA(&context, root.get()) != 1) {
            return wrong("http.tls.client_ca_file", options.client_ca_file, take_library_error());
        }
    }
    SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return {};
}

/// Whoever offers protocols is answered with the one that is spoken here, or not at all.
int choose_protocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void* /*unused*/) {
    static constexpr unsigned char ours[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

Result<Identity> make_identity(const TlsOptions& options, const Texts& texts, Instant now) {
    const auto& file = options.cert_file;
    HELIOS_TRY_ASSIGN(const auto chain,
                      certificates_of("http.tls.cert_file", file, texts.certificate));
    HELIOS_TRY(check_time(file, *chain.front(), now));
    auto context = make_context(true);
    clear_library_errors();
    if (SSL_CTX_use_certificate(context.get(), chain.front().get()) != 1) {
        return wrong("http.tls.cert_file", file, take_library_error());
    }
    for (std::size_t i = 1; i < chain.size(); ++i) {
        if (SSL_CTX_add1_chain_cert(context.get(), chain[i].get()) != 1) {
            return wrong("http.tls.cert_file", file, take_library_error());
        }
    }
    HELIOS_TRY(use_key(*context, options, texts.key, *chain.front()));
    if (!options.client_ca_file.empty()) {
        HELIOS_TRY(use_client_ca(*context, options, texts.client_ca));
    }
    SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
    // Sessions are resumed by tickets alone: nothing is kept here for them, and tickets of a
    // context that has been replaced mean nothing.
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    static constexpr unsigned char session_context[] = "helios";
    SSL_CTX_set_session_id_context(context.get(), session_context, sizeof session_context - 1);
    return Identity{std::move(context), instant_of(X509_get0_notAfter(chain.front().get()))};
}

}  // namespace

struct TlsServer::State {
    State(TlsOptions o, telemetry::Telemetry& t, const Clock& c)
        : options(std::move(o)),
          telemetry(t),
          clock(c),
          expires(t.metrics.gauge("helios_http_certificate_expires_seconds",
                                  "When the certificate of new connections ends, as Unix time")),
          refused(t.metrics.counter("helios_http_certificates_refused_total",
                                    "Changed certificate files that could not be used")) {
        for (const auto reason : failure_reasons) {
            failures.push_back(&t.metrics.counter("helios_http_handshakes_failed_total",
                                                  "TLS handshakes that came to nothing",
                                                  {{"reason", std::string(reason)}}));
        }
    }

    void use(Identity fresh) {
        end = fresh.expires;
        told = Told::nothing;
        expires.set(static_cast<double>(to_nanos(fresh.expires) / 1'000'000'000));
        const MutexLock lock(mutex);
        identity = std::move(fresh);
    }
    void complain(const Error& error) {
        refused.add();
        telemetry.logger.warn("http", "the certificate is not replaced: the old one stays",
                              {{"why", error.what}, {"hint", error.hint}});
    }
    /// Some time before the certificate ends, and when it has: once each.
    void tell_of_end() {
        const Instant now = clock.wall();
        const auto due = now >= end                  ? Told::ended
                         : now >= end - warned_ahead ? Told::ending
                                                     : Told::nothing;
        if (due <= told) {
            return;
        }
        told = due;
        telemetry.logger.warn("http",
                              due == Told::ended ? "the certificate has expired: clients turn away"
                                                 : "the certificate expires soon",
                              {{"expires", format_rfc3339(end)},
                               {"file", options.cert_file},
                               {"hint",
                                "put a new certificate and its key there: they are read "
                                "again by themselves"}});
    }
    void look() {
        tell_of_end();
        auto texts = read_files(options);
        if (!texts) {
            if (std::exchange(unreadable, texts.error().what) != texts.error().what) {
                complain(texts.error());  // once: it may stay so for long
            }
            return;
        }
        unreadable.clear();
        if (seen == *texts) {
            fresh_texts.reset();
            return;
        }
        // Whoever writes the files may be half way: they are judged when they have stayed the same.
        if (fresh_texts != *texts) {
            fresh_texts = *std::move(texts);
            return;
        }
        fresh_texts.reset();
        auto fresh = make_identity(options, *texts, clock.wall());
        seen = *std::move(texts);
        if (!fresh) {
            complain(fresh.error());
            return;
        }
        telemetry.logger.info("http", "new connections get the certificate that is in the files",
                              {{"expires", format_rfc3339(fresh->expires)}});
        use(*std::move(fresh));
    }

    const TlsOptions options;
    telemetry::Telemetry& telemetry;
    const Clock& clock;
    telemetry::Gauge& expires;
    telemetry::Counter& refused;
    std::vector<telemetry::Counter*> failures;  ///< as failure_reasons
    enum class Told : std::uint8_t { nothing, ending, ended };
    Instant end{};                     ///< of the certificate; the thread's, as all of these
    Told told = Told::nothing;         ///< of its end
    std::optional<Texts> seen;         ///< judged
    std::optional<Texts> fresh_texts;  ///< read once
    std::string unreadable;            ///< why, as it was told
    mutable Mutex mutex;
    Identity identity HELIOS_GUARDED_BY(mutex);
    std::jthread thread;
};

TlsServer::TlsServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

TlsServer::~TlsServer() {
    stop();
}

Result<std::unique_ptr<TlsServer>> TlsServer::open(const TlsOptions& options,
                                                   telemetry::Telemetry& telemetry,
                                                   const Clock& clock) {
    HELIOS_TRY_ASSIGN(auto texts, read_files(options));
    HELIOS_TRY_ASSIGN(auto identity, make_identity(options, texts, clock.wall()));
    auto state = std::make_unique<State>(options, telemetry, clock);
    state->use(std::move(identity));
    state->tell_of_end();
    state->seen = std::move(texts);
    state->thread = std::jthread([state = state.get()](const std::stop_token& stop) {
        name_this_thread("http-tls");
        for (pause_for(stop, state->options.reload_interval); !stop.stop_requested();
             pause_for(stop, state->options.reload_interval)) {
            state->look();
        }
    });
    return std::unique_ptr<TlsServer>(new TlsServer(std::move(state)));
}

Status TlsServer::check(const TlsOptions& options, Instant now) {
    HELIOS_TRY_ASSIGN(const auto texts, read_files(options));
    HELIOS_TRY(make_identity(options, texts, now));
    return {};
}

void TlsServer::stop() {
    if (state_->thread.joinable()) {
        state_->thread.request_stop();
        state_->thread.join();
    }
}

Ssl TlsServer::accept(TlsWire& wire) const {
    SslContext context;
    {
        const MutexLock lock(state_->mutex);
        context = state_->identity.context;
    }
    auto ssl = open_ssl(*context, wire);
    HELIOS_ASSERT(ssl != nullptr, "there is memory for a connection");
    SSL_set_accept_state(ssl.get());
    return ssl;
}

void TlsServer::handshake_failed(std::string_view reason) const {
    const auto at = std::find(failure_reasons.begin(), failure_reasons.end(), reason);
    HELIOS_ASSERT(at != failure_reasons.end(), "a known reason");
    state_->failures[static_cast<std::size_t>(at - failure_reasons.begin())]->add();
}

}  // namespace helios::http
