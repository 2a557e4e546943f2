#include "auth/api_keys.h"

#include <algorithm>
#include <fmt/format.h>

#include "auth/constant_time.h"
#include "auth/encoding.h"
#include "auth/file.h"
#include "base/json.h"
#include "base/shown.h"

namespace helios::auth {

namespace {

constexpr int version = 2;  // 1 had no checksum
constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t sources_max = 256;
constexpr json::Limits limits{.depth_max = 8, .nodes_max = 8u << 20};
constexpr std::array<std::string_view, 7> members{"id",     "name",    "role",   "sources",
                                                  "sha256", "created", "revoked"};

bool is_name(std::string_view text) {
    const auto fits = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '.' || c == '_' || c == '@' || c == '-';
    };
    return !text.empty() && text.size() <= name_bytes_max && std::ranges::all_of(text, fits);
}

std::string_view bytes_of(const Digest256& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string_view to_string(Role role) {
    return role == Role::operator_ ? "operator" : "sender";
}

std::unexpected<Error> damaged(std::string what) {
    return fail(ErrorKind::corrupt, std::move(what),
                "restore the file, or take back what was changed by hand");
}

/// Of the list of keys as it is written: a bit that has changed must not make a key another's.
std::string checksum_of(std::string_view keys) {
    return to_hex(sha256(keys));
}

Result<Instant> parse_time(json::Value value) {
    auto time = parse_rfc3339(value.is_string() ? value.text() : "");
    if (!time) {
        return damaged("a key whose time can't be read");
    }
    return time->at;
}

Result<ApiKey> parse_key(json::Value value) {
    if (!value.is_object()) {
        return damaged("a key that is no object");
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (std::ranges::find(members, value.key_at(i)) == members.end()) {
            return damaged(
                fmt::format("a key with a member \"{}\", which this version does not "
                            "know",
                            shown(value.key_at(i))));
        }
    }
    ApiKey key;
    const auto text = [&](std::string_view name) {
        return value.find(name).is_string() ? value.find(name).text() : std::string_view();
    };
    key.id = text("id");
    key.name = text("name");
    if (key.id.empty() || (text("role") != "operator" && text("role") != "sender")) {
        return damaged("a key without an id, or of no role");
    }
    key.role = text("role") == "operator" ? Role::operator_ : Role::sender;
    const json::Value sources = value.find("sources");
    for (std::size_t i = 0; i < sources.size(); ++i) {
        key.sources.emplace_back(sources.at(i).text());
    }
    if (!from_hex(text("sha256"), key.digest)) {
        return damaged(fmt::format("key {} without its digest", shown(key.id)));
    }
    HELIOS_TRY_ASSIGN(key.created, parse_time(value.find("created")));
    if (value.find("revoked").present()) {
        HELIOS_TRY_ASSIGN(key.revoked, parse_time(value.find("revoked")));
    }
    return key;
}

void encode_key(json::Writer& out, const ApiKey& key) {
    out.begin_object()
        .field("id", std::string_view(key.id))
        .field("name", std::string_view(key.name))
        .field("role", to_string(key.role));
    if (!key.sources.empty()) {
        out.key("sources").begin_array();
        for (const std::string& source : key.sources) {
            out.string(source);
        }
        out.end_array();
    }
    out.field("sha256", std::string_view(to_hex(key.digest)))
        .field("created", std::string_view(format_rfc3339(key.created)));
    if (key.revoked) {
        out.field("revoked", std::string_view(format_rfc3339(*key.revoked)));
    }
    out.end_object();
}

Status check_new(const ApiKey& key) {
    if (!is_name(key.name)) {
        return fail(ErrorKind::invalid, fmt::format("\"{}\" is no name for a key", shown(key.name)),
                    "1 to 64 letters, digits and . _ @ -");
    }
    if (key.role != Role::sender && key.role != Role::operator_) {
        return fail(ErrorKind::invalid, "a key is a sender's or an operator's");
    }
    if (key.sources.size() > sources_max || std::ranges::count(key.sources, "") > 0) {
        return fail(ErrorKind::invalid, "a source without a name, or too many of them");
    }
    return {};
}

}  // namespace

Result<ApiKeys> ApiKeys::parse(std::string_view text) {
    ApiKeys out;
    if (text.empty()) {
        return out;
    }
    auto document = parse_strict_object(text, limits);
    if (!document) {
        return damaged("the keys are " + document.error().what);
    }
    const json::Value root = document->root();
    if (root.find("version").text() != std::to_string(version)) {
        return damaged(fmt::format("keys of the version \"{}\"; this one reads {}",
                                   shown(root.find("version").text()), version));
    }
    const json::Value keys = root.find("keys");
    if (!keys.is_array() || keys.size() > api_keys_max) {
        return damaged(fmt::format("no list of at most {} keys", api_keys_max));
    }
    if (root.size() != 3 || root.find("sha256").text() != checksum_of(keys.raw())) {
        return damaged("the keys do not fit their checksum");
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
        HELIOS_TRY_ASSIGN(auto key, parse_key(keys.at(i)));
        if (const Status fits = check_new(key); !fits) {
            return damaged(fits.error().what);
        }
        if (!out.by_id_.emplace(key.id, out.keys_.size()).second) {
            return damaged(fmt::format("two keys of the id {}", shown(key.id)));
        }
        out.keys_.push_back(std::move(key));
    }
    return out;
}

std::string ApiKeys::encode() const {
    std::string text = "[";
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        json::Writer out;
        encode_key(out, keys_[i]);
        text.append(i == 0 ? "\n" : ",\n").append(out.view());
    }
    text.append("\n]");
    return fmt::format("{{\"version\":{},\"sha256\":\"{}\",\"keys\":{}}}\n", version,
                       checksum_of(text), text);
}

const ApiKey* ApiKeys::find(std::string_view id) const {
    const auto found = by_id_.find(std::string(id));
    return found == by_id_.end() ? nullptr : &keys_[found->second];
}

Status ApiKeys::add(ApiKey key) {
    HELIOS_TRY(check_new(key));
    if (keys_.size() >= api_keys_max) {
        return fail(ErrorKind::exhausted, fmt::format("there are {} keys", keys_.size()));
    }
    const bool named = std::ranges::any_of(
        keys_, [&](const ApiKey& known) { return known.name == key.name && !known.revoked; });
    if (named || by_id_.contains(key.id)) {
        return fail(ErrorKind::conflict,
                    fmt::format("there is a key \"{}\" already", shown(key.name)),
                    "take another name, or revoke that one first");
    }
    by_id_.emplace(key.id, keys_.size());
    keys_.push_back(std::move(key));
    return {};
}

Result<ApiKey> ApiKeys::revoke(std::string_view id_or_name, Instant now) {
    const auto take_back = [&](auto is_meant) -> const ApiKey* {
        const auto found = std::ranges::find_if(
            keys_, [&](const ApiKey& key) { return !key.revoked && is_meant(key); });
        if (found == keys_.end()) {
            return nullptr;
        }
        found->revoked = now;
        return &*found;
    };
    // A name may look like another key's id.
    const ApiKey* key = take_back([&](const ApiKey& one) { return one.id == id_or_name; });
    if (key == nullptr) {
        key = take_back([&](const ApiKey& one) { return one.name == id_or_name; });
    }
    if (key == nullptr) {
        return fail(ErrorKind::not_found,
                    fmt::format("no key in use is called \"{}\"", shown(id_or_name)),
                    "helios key ls names them");
    }
    return *key;
}

Proof ApiKeys::check(std::string_view text) const {
    const auto id = parse_api_key(text);
    if (!id) {
        return id.error();
    }
    const Digest256 digest = digest_of_api_key(text);
    const ApiKey* key = find(*id);
    if (key == nullptr) {
        return Proof::refused(Refusal::unknown_key, fmt::format("there is no API key {}", *id));
    }
    if (!equal_in_constant_time(bytes_of(digest), bytes_of(key->digest))) {
        return Proof::refused(Refusal::wrong_secret,
                              fmt::format("not the secret of the API key {}", *id));
    }
    if (key->revoked) {
        return Proof::refused(Refusal::revoked,
                              fmt::format("the API key {} ({}) was revoked at {}", *id, key->name,
                                          format_rfc3339(*key->revoked)));
    }
    Proof proof = Proof::held(key->name);
    proof.roles = {key->role};
    if (!key->sources.empty()) {
        proof.sources = key->sources;
    }
    return proof;
}

Status change_api_keys(const std::string& path, const std::function<Status(ApiKeys&)>& change) {
    return change_file(path, api_keys_bytes_max,
                       [&](const std::string& text) -> Result<std::string> {
                           HELIOS_TRY_ASSIGN(auto keys, ApiKeys::parse(text));
                           HELIOS_TRY(change(keys));
                           return keys.encode();
                       });
}

Result<std::unique_ptr<ApiKeysFile>> ApiKeysFile::open(std::string path, Duration now) {
    std::unique_ptr<ApiKeysFile> file(new ApiKeysFile(std::move(path)));
    auto text = read_file(file->path_, api_keys_bytes_max);
    if (!text && text.error().kind != ErrorKind::not_found) {
        return std::unexpected(std::move(text).error());
    }
    HELIOS_TRY_ASSIGN(auto keys, ApiKeys::parse(text.value_or("")));
    {
        const MutexLock refreshing(file->refreshing_);
        file->looked_ = now;
        file->read_ = sha256(text.value_or(""));
        const MutexLock lock(file->mutex_);
        file->keys_ = std::make_shared<const ApiKeys>(std::move(keys));
    }
    return file;
}

std::shared_ptr<const ApiKeys> ApiKeysFile::current() const {
    const MutexLock lock(mutex_);
    return keys_;
}

std::optional<Error> ApiKeysFile::refresh(Duration now) {
    const MutexLock refreshing(refreshing_);
    if (now - looked_ < interval) {
        return std::nullopt;
    }
    looked_ = now;
    const auto say = [&](Error error) HELIOS_REQUIRES(refreshing_) -> std::optional<Error> {
        if (said_ == error.what) {
            return std::nullopt;
        }
        said_ = error.what;
        return error;
    };
    auto text = read_file(path_, api_keys_bytes_max);
    if (!text) {
        // No keys, and none before, is how an installation begins.
        return text.error().kind == ErrorKind::not_found && current()->all().empty()
                   ? std::nullopt
                   : say(std::move(text).error());
    }
    const Digest256 digest = sha256(*text);
    if (digest == read_) {
        said_.clear();
        return std::nullopt;
    }
    auto keys = ApiKeys::parse(*text);
    if (!keys) {
        return say(std::move(keys).error());
    }
    read_ = digest;
    said_.clear();
    auto made = std::make_shared<const ApiKeys>(*std::move(keys));
    const MutexLock lock(mutex_);
    keys_ = std::move(made);
    return std::nullopt;
}

}  // namespace helios::auth
