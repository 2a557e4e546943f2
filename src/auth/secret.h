#pragma once
/// Secrets by reference: a configuration names where a secret is, and never holds one.
///
/// A secret may be a list (the old one and the new one), so that it can be changed without a
/// moment at which a sender is refused. Files are read again; what can't be read, or is no secret
/// of its kind, changes nothing.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"

namespace helios::auth {

inline constexpr std::size_t secret_bytes_max = 64 << 10;
inline constexpr std::size_t secrets_max = 16;  ///< in one list: each costs every request

struct SecretReference {
    enum class Kind : std::uint8_t { file, env };
    Kind kind = Kind::file;
    std::string name;  ///< of the file, or of the variable

    std::string to_string() const;  ///< "file:/run/secrets/stripe"
};

/// "file:PATH" or "env:NAME". invalid: anything else, a secret itself above all; so the text is in
/// no message.
Result<SecretReference> parse_secret_reference(std::string_view text);

/// The environment belongs to the app.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
/// Whether a text can be a secret of the kind that is wanted; its error never holds the text.
using SecretCheck = std::function<Status(std::string_view)>;

/// Thread-safe. What current() has answered stays as it is.
class Secrets {
public:
    /// Reads all of them. invalid: there is none, one is empty, or `check` refuses one; not_found,
    /// denied, unavailable, exhausted: one can't be read. The error names the reference.
    static Result<std::unique_ptr<Secrets>> open(std::vector<SecretReference> references,
                                                 Environment environment, Duration now,
                                                 SecretCheck check = {});

    /// In the order of the references.
    std::shared_ptr<const std::vector<std::string>> current() const;

    /// Reads again what may have changed, if the last time is `interval` ago: to be called about as
    /// often, by a thread that may touch the disk. Answers what can't be read, each failure once;
    /// until it can be, the value stays that there was.
    std::vector<Error> refresh(Duration now);

    static constexpr Duration interval = std::chrono::seconds(5);

private:
    struct Source {
        SecretReference reference;
        std::string said;  ///< the failure that was reported
    };

    Secrets(Environment environment, SecretCheck check)
        : environment_(std::move(environment)), check_(std::move(check)) {}
    Result<std::string> read(const SecretReference& reference) const;

    const Environment environment_;
    const SecretCheck check_;
    Mutex refreshing_;
    std::vector<Source> sources_ HELIOS_GUARDED_BY(refreshing_);
    Duration looked_ HELIOS_GUARDED_BY(refreshing_){};
    mutable Mutex mutex_;
    std::shared_ptr<const std::vector<std::string>> values_ HELIOS_GUARDED_BY(mutex_);
};

}  // namespace helios::auth
