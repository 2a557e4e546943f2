#include "auth/secret.h"

#include <algorithm>
#include <fmt/format.h>

#include "auth/file.h"

namespace helios::auth {

namespace {

constexpr std::string_view file_prefix = "file:";
constexpr std::string_view env_prefix = "env:";

bool is_variable_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '_';
    };
    return !name.empty() && std::ranges::all_of(name, fits) && (name[0] < '0' || name[0] > '9');
}

/// Editors and `echo` end a file with a line end that is no part of the secret.
void drop_line_end(std::string& text) {
    if (text.ends_with('\n')) {
        text.pop_back();
        if (text.ends_with('\r')) {
            text.pop_back();
        }
    }
}

}  // namespace

std::string SecretReference::to_string() const {
    return std::string(kind == Kind::file ? file_prefix : env_prefix) + name;
}

Result<SecretReference> parse_secret_reference(std::string_view text) {
    if (text.starts_with(file_prefix) && text.size() > file_prefix.size() &&
        text.find('\0') == std::string_view::npos) {
        return SecretReference{SecretReference::Kind::file,
                               std::string(text.substr(file_prefix.size()))};
    }
    if (text.starts_with(env_prefix) && is_variable_name(text.substr(env_prefix.size()))) {
        return SecretReference{SecretReference::Kind::env,
                               std::string(text.substr(env_prefix.size()))};
    }
    return fail(ErrorKind::invalid, "a secret is given by reference, not as text",
                "write it into a file that only this server may read, and give file:PATH; or give "
                "env:NAME");
}

Result<std::string> Secrets::read(const SecretReference& reference) const {
    std::string text;
    if (reference.kind == SecretReference::Kind::file) {
        HELIOS_TRY_ASSIGN(text, read_file(reference.name, secret_bytes_max));
    } else {
        auto value = environment_ ? environment_(reference.name) : std::nullopt;
        if (!value) {
            return fail(ErrorKind::not_found,
                        fmt::format("{}: there is no such variable", reference.to_string()));
        }
        text = *std::move(value);
    }
    drop_line_end(text);
    if (text.empty()) {
        return fail(ErrorKind::invalid, fmt::format("{} is empty", reference.to_string()),
                    "an empty secret is one that everybody knows");
    }
    if (const Status fits = check_ ? check_(text) : Status{}; !fits) {
        return fail(fits.error().kind,
                    fmt::format("{}: {}", reference.to_string(), fits.error().what),
                    fits.error().hint);
    }
    return text;
}

Result<std::unique_ptr<Secrets>> Secrets::open(std::vector<SecretReference> references,
                                               Environment environment, Duration now,
                                               SecretCheck check) {
    if (references.empty() || references.size() > secrets_max) {
        return fail(ErrorKind::invalid,
                    fmt::format("{} secrets; there are 1 to {}", references.size(), secrets_max));
    }
    std::unique_ptr<Secrets> secrets(new Secrets(std::move(environment), std::move(check)));
    std::vector<std::string> values;
    std::vector<Source> sources;
    for (auto& reference : references) {
        HELIOS_TRY_ASSIGN(auto value, secrets->read(reference));
        values.push_back(std::move(value));
        sources.push_back({std::move(reference), {}});
    }
    {
        const MutexLock refreshing(secrets->refreshing_);
        secrets->sources_ = std::move(sources);
        secrets->looked_ = now;
        const MutexLock lock(secrets->mutex_);
        secrets->values_ = std::make_shared<const std::vector<std::string>>(std::move(values));
    }
    return secrets;
}

std::shared_ptr<const std::vector<std::string>> Secrets::current() const {
    const MutexLock lock(mutex_);
    return values_;
}

std::vector<Error> Secrets::refresh(Duration now) {
    const MutexLock refreshing(refreshing_);
    if (now - looked_ < interval) {
        return {};
    }
    looked_ = now;
    std::vector<Error> failures;
    std::vector<std::string> values = *current();
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        Source& source = sources_[i];
        auto value = read(source.reference);
        if (value) {
            values[i] = *std::move(value);
            source.said.clear();
        } else if (source.said != value.error().what) {
            source.said = value.error().what;
            failures.push_back(std::move(value).error());
        }
    }
    if (values != *current()) {
        auto made = std::make_shared<const std::vector<std::string>>(std::move(values));
        const MutexLock lock(mutex_);
        values_ = std::move(made);
    }
    return failures;
}

}  // namespace helios::auth
