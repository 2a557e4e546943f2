#pragma once
/// Certificates (X.509) of whoever signs messages: the key, the names, the dates, the chain.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/crypto.h"
#include "base/result.h"
#include "base/time.h"

struct x509_st;        // libcrypto's X509
struct x509_store_st;  // and X509_STORE

namespace helios::auth {

inline constexpr std::size_t certificate_bytes_max = 64 << 10;
inline constexpr std::size_t certificates_max = 512;  ///< in one file of roots

/// Immutable, thread-safe, cheap to copy.
class Certificate {
public:
    /// PEM: the certificate, then those that lead to its root, if they are there. invalid: no
    /// certificate, larger than certificate_bytes_max, a key that is too weak.
    static Result<Certificate> parse(std::string_view pem);

    const PublicKey& key() const { return key_; }
    Instant not_before() const { return not_before_; }
    Instant not_after() const { return not_after_; }
    /// Whether it was issued to that host: exactly, no wildcard.
    bool is_for(const std::string& host) const;

private:
    friend class TrustedRoots;
    explicit Certificate(PublicKey key) : key_(std::move(key)) {}

    std::vector<std::shared_ptr<x509_st>> chain_;  ///< itself first
    PublicKey key_;
    Instant not_before_{};
    Instant not_after_{};
};

/// Immutable once made, thread-safe, cheap to copy.
class TrustedRoots {
public:
    TrustedRoots() = default;  ///< none: no chain is complete

    /// PEM. Certificates that are no roots may be among them: they serve to find the way. invalid:
    /// no certificate in it.
    static Result<TrustedRoots> parse(std::string_view pem);

    enum class Chain {
        complete,        ///< from the certificate to one of these roots
        issuer_unknown,  ///< who issued it, or whoever issued those, is not there
        broken,          ///< a signature, a date or a constraint on the way is wrong
    };
    struct Answer {
        Chain chain = Chain::issuer_unknown;
        std::string why;  ///< the library's words
    };
    Answer check(const Certificate& certificate, Instant now) const;

private:
    std::shared_ptr<x509_store_st> store_;
};

}  // namespace helios::auth
