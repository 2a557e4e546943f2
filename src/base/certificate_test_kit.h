#pragma once
/// Certificates made while the test runs: no key lies in the tree.

#include <ctime>
#include <memory>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string>

#include "base/assert.h"
#include "base/time.h"

namespace helios {

/// What a certificate is made of.
struct CertificateParts {
    std::string name = "sns.amazonaws.com";  ///< its subject, and the host it is for
    Instant not_before;
    Instant not_after;
    bool is_authority = false;
    std::string also{};  ///< what else it is for, "IP:127.0.0.1,DNS:other"
};

/// A certificate of a private key; issued by another, or by itself.
class MadeCertificate {
public:
    MadeCertificate(const CertificateParts& parts, EVP_PKEY* key,
                    const MadeCertificate* issuer = nullptr)
        : key_(shared(key)), certificate_(X509_new(), X509_free), name_(parts.name) {
        X509* x = certificate_.get();
        X509_set_version(x, X509_VERSION_3);
        static long serial = 0;
        ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
        ASN1_TIME_set(X509_getm_notBefore(x), seconds(parts.not_before));
        ASN1_TIME_set(X509_getm_notAfter(x), seconds(parts.not_after));
        X509_set_pubkey(x, key);
        set_name(X509_get_subject_name(x), name_);
        set_name(X509_get_issuer_name(x), issuer == nullptr ? name_ : issuer->name_);
        add(NID_basic_constraints, parts.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
        if (!parts.is_authority) {
            add(NID_subject_alt_name,
                "DNS:" + parts.name + (parts.also.empty() ? "" : "," + parts.also));
        }
        EVP_PKEY* signer = issuer == nullptr ? key : issuer->key_.get();
        const bool ok = X509_sign(x, signer, EVP_sha256()) > 0;
        HELIOS_ASSERT(ok, "a test's certificate is signed");
    }

    std::string pem() const {
        return text_of([this](BIO* out) { PEM_write_bio_X509(out, certificate_.get()); });
    }
    /// Of its private key; with a passphrase if that is not empty.
    std::string key_pem(const std::string& passphrase = {}) const {
        return text_of([&](BIO* out) {
            PEM_write_bio_PKCS8PrivateKey(out, key_.get(),
                                          passphrase.empty() ? nullptr : EVP_aes_256_cbc(),
                                          passphrase.empty() ? nullptr : passphrase.data(),
                                          static_cast<int>(passphrase.size()), nullptr, nullptr);
        });
    }
    X509* get() const { return certificate_.get(); }
    EVP_PKEY* private_key() const { return key_.get(); }

private:
    static std::shared_ptr<EVP_PKEY> shared(EVP_PKEY* key) {
        EVP_PKEY_up_ref(key);
        return {key, EVP_PKEY_free};
    }
    template <class Write>
    static std::string text_of(Write write) {
        const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free);
        write(out.get());
        char* text = nullptr;
        const long length = BIO_get_mem_data(out.get(), &text);
        return {text, static_cast<std::size_t>(length)};
    }
    static std::time_t seconds(Instant at) {
        return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    }
    static void set_name(X509_NAME* name, const std::string& text) {
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(text.data()), -1, -1, 0);
    }
    void add(int nid, const std::string& value) {
        const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> extension(
            X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()), X509_EXTENSION_free);
        HELIOS_ASSERT(extension != nullptr, "a test's extension is one");
        X509_add_ext(certificate_.get(), extension.get(), -1);
    }

    std::shared_ptr<EVP_PKEY> key_;
    std::shared_ptr<X509> certificate_;
    std::string name_;
};

/// A certificate of a key of its own (P-256).
inline MadeCertificate make_certificate(const CertificateParts& parts,
                                        const MadeCertificate* issuer = nullptr) {
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    HELIOS_ASSERT(key != nullptr, "libcrypto makes a key");
    return {parts, key.get(), issuer};
}

}  // namespace helios
