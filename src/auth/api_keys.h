#pragma once
/// The API keys of an installation: the file that `helios key add|ls|revoke` keeps, and the check
/// of a key that is presented.
///
/// The file holds digests, no secret. It is replaced whole, and read again while a server runs.

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/api_key.h"
#include "auth/proof.h"
#include "base/caller.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"

namespace helios::auth {

inline constexpr std::size_t api_keys_max = 100'000;
inline constexpr std::size_t api_keys_bytes_max = 64u << 20;

struct ApiKey {
    std::string id;
    std::string name;                  ///< who: as audit records name it
    Role role = Role::sender;          ///< sender or operator_
    std::vector<std::string> sources;  ///< those it may speak for; empty: it names none
    Digest256 digest{};                ///< of its text
    Instant created{};
    std::optional<Instant> revoked;

    friend bool operator==(const ApiKey&, const ApiKey&) = default;
};

/// A value.
class ApiKeys {
public:
    ApiKeys() = default;

    /// The file's text; empty: no keys. corrupt: not such a file, two keys of one id, more than
    /// api_keys_max, or written by a later Helios.
    static Result<ApiKeys> parse(std::string_view text);
    std::string encode() const;

    const std::vector<ApiKey>& all() const { return keys_; }  ///< in the order they were added
    const ApiKey* find(std::string_view id) const;            ///< nullptr: there is none

    /// invalid: a name that is not 1 to 64 of [A-Za-z0-9._@-], a role that keys don't have.
    /// conflict: a key of that name is in use, or of that id was. exhausted: api_keys_max.
    Status add(ApiKey key);
    /// By id or by name. not_found: no key in use is called that.
    Result<ApiKey> revoke(std::string_view id_or_name, Instant now);

    /// absent: the text is no API key. Never quotes it.
    Proof check(std::string_view text) const;

private:
    std::vector<ApiKey> keys_;
    std::unordered_map<std::string, std::size_t> by_id_;
};

/// Changes the file, one process after the other; what `change` refuses leaves it as it is. Errors
/// of `change`; those of ApiKeys::parse; denied, unavailable: the file can't be read or replaced.
Status change_api_keys(const std::string& path, const std::function<Status(ApiKeys&)>& change);

/// The keys in use by a server. Thread-safe.
class ApiKeysFile {
public:
    /// No file: no keys, until there is one. Else as ApiKeys::parse; denied, unavailable.
    static Result<std::unique_ptr<ApiKeysFile>> open(std::string path, Duration now);

    std::shared_ptr<const ApiKeys> current() const;

    /// As Secrets::refresh: at most once an interval, each failure said once, the old keys stay.
    std::optional<Error> refresh(Duration now);

    static constexpr Duration interval = std::chrono::seconds(5);

private:
    explicit ApiKeysFile(std::string path) : path_(std::move(path)) {}

    const std::string path_;
    Mutex refreshing_;
    Duration looked_ HELIOS_GUARDED_BY(refreshing_){};
    Digest256 read_ HELIOS_GUARDED_BY(refreshing_){};  ///< of the text that was parsed last
    std::string said_ HELIOS_GUARDED_BY(refreshing_);
    mutable Mutex mutex_;
    std::shared_ptr<const ApiKeys> keys_ HELIOS_GUARDED_BY(mutex_);
};

}  // namespace helios::auth
