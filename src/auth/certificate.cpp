#include "auth/certificate.h"

#include <algorithm>
#include <ctime>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/assert.h"

namespace helios::auth {

namespace {

constexpr std::size_t chain_max = 8;
constexpr std::size_t roots_bytes_max = 4 << 20;

struct ErrorsCleared {
    ErrorsCleared() = default;
    ~ErrorsCleared() { ERR_clear_error(); }
    ErrorsCleared(const ErrorsCleared&) = delete;
    ErrorsCleared& operator=(const ErrorsCleared&) = delete;
};

using CertificatePointer = std::shared_ptr<X509>;

/// Nobody is asked for a pass phrase.
int no_pass_phrase(char*, int, int, void*) {
    return 0;
}

std::vector<CertificatePointer> parse_all(std::string_view pem, std::size_t count_max) {
    std::vector<CertificatePointer> out;
    const std::unique_ptr<BIO, int (*)(BIO*)> bytes(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    HELIOS_ASSERT(bytes != nullptr, "out of memory");
    while (out.size() < count_max) {
        X509* one = PEM_read_bio_X509(bytes.get(), nullptr, no_pass_phrase, nullptr);
        if (one == nullptr) {
            break;
        }
        out.emplace_back(one, X509_free);
    }
    return out;
}

/// Dates beyond what an Instant holds are its ends. nullopt: no date.
std::optional<Instant> instant_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
        return std::nullopt;
    }
    const int year = parts.tm_year + 1900;
    if (year < 1700 || year > 2261) {
        return year < 1700 ? Instant::min() : Instant::max();
    }
    const std::chrono::sys_days day{std::chrono::year{year} /
                                    static_cast<unsigned>(parts.tm_mon + 1) /
                                    static_cast<unsigned>(parts.tm_mday)};
    return Instant{day} + std::chrono::hours(parts.tm_hour) + std::chrono::minutes(parts.tm_min) +
           std::chrono::seconds(parts.tm_sec);
}

}  // namespace

Result<Certificate> Certificate::parse(std::string_view pem) {
    const ErrorsCleared cleared;
    if (pem.size() > certificate_bytes_max) {
        return fail(ErrorKind::invalid, "a certificate that is too large");
    }
    auto chain = parse_all(pem, chain_max);
    if (chain.empty()) {
        return fail(ErrorKind::invalid, "no certificate in PEM");
    }
    X509* leaf = chain.front().get();
    HELIOS_TRY_ASSIGN(auto key, PublicKey::from_library({X509_get_pubkey(leaf), EVP_PKEY_free}));
    const auto not_before = instant_of(X509_get0_notBefore(leaf));
    const auto not_after = instant_of(X509_get0_notAfter(leaf));
    if (!not_before || !not_after) {
        return fail(ErrorKind::invalid, "a certificate without dates");
    }
    Certificate certificate(std::move(key));
    certificate.chain_ = std::move(chain);
    certificate.not_before_ = *not_before;
    certificate.not_after_ = *not_after;
    return certificate;
}

bool Certificate::is_for(const std::string& host) const {
    const ErrorsCleared cleared;
    return X509_check_host(chain_.front().get(), host.data(), host.size(),
                           X509_CHECK_FLAG_NO_WILDCARDS, nullptr) == 1;
}

Result<TrustedRoots> TrustedRoots::parse(std::string_view pem) {
    const ErrorsCleared cleared;
    const auto certificates = parse_all(pem.substr(0, roots_bytes_max), certificates_max);
    if (certificates.empty()) {
        return fail(ErrorKind::invalid, "no certificate in PEM");
    }
    TrustedRoots roots;
    roots.store_ = {X509_STORE_new(), X509_STORE_free};
    HELIOS_ASSERT(roots.store_ != nullptr, "out of memory");
    for (const auto& certificate : certificates) {
        static_cast<void>(X509_STORE_add_cert(roots.store_.get(), certificate.get()));
    }
    return roots;
}

TrustedRoots::Answer TrustedRoots::check(const Certificate& certificate, Instant now) const {
    const ErrorsCleared cleared;
    if (store_ == nullptr) {
        return {Chain::issuer_unknown, "no roots"};
    }
    const std::unique_ptr<X509_STORE_CTX, void (*)(X509_STORE_CTX*)> context(X509_STORE_CTX_new(),
                                                                             X509_STORE_CTX_free);
    const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> others(
        sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
    HELIOS_ASSERT(context != nullptr && others != nullptr, "out of memory");
    for (std::size_t i = 1; i < certificate.chain_.size(); ++i) {
        static_cast<void>(sk_X509_push(others.get(), certificate.chain_[i].get()));
    }
    if (X509_STORE_CTX_init(context.get(), store_.get(), certificate.chain_.front().get(),
                            others.get()) != 1) {
        return {Chain::broken, "the chain can't be checked"};
    }
    X509_STORE_CTX_set_time(
        context.get(), 0, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
    if (X509_verify_cert(context.get()) == 1) {
        return {Chain::complete, {}};
    }
    const int error = X509_STORE_CTX_get_error(context.get());
    const bool unknown = error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
                         error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
                         error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
    return {unknown ? Chain::issuer_unknown : Chain::broken, X509_verify_cert_error_string(error)};
}

}  // namespace helios::auth
