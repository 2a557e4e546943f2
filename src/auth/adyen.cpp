#include "auth/adyen.h"

#include <array>
#include <fmt/format.h>
#include <optional>

#include "auth/constant_time.h"
#include "auth/crypto.h"
#include "auth/encoding.h"
#include "base/hash.h"

namespace helios::auth {

namespace {

constexpr std::size_t key_bytes_min = 16;
constexpr json::Limits limits{.depth_max = 64, .nodes_max = 256u << 10};

enum class Item { unsigned_, held, wrong, unreadable };

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || c == ':') {
            out.push_back('\\');
        }
        out.push_back(c);
    }
    return out;
}

Item check_item(json::Value item, std::span<const std::string> keys) {
    const json::Value code = item.find("additionalData").find("hmacSignature");
    if (!code.present()) {
        return Item::unsigned_;
    }
    const auto bytes = decode_base64(code.is_string() ? code.text() : "?");
    const auto joined = adyen_text(item, false);
    const auto escaped = adyen_text(item, true);
    if (!bytes || !joined || !escaped) {
        return Item::unreadable;
    }
    bool fits = false;
    for (const std::string& key : keys) {
        const auto raw = decode_hex(key);
        for (const std::string& text : {*joined, *escaped}) {
            fits = (raw && equal_in_constant_time(hmac_sha256(*raw, {text}), *bytes)) || fits;
        }
    }
    return fits ? Item::held : Item::wrong;
}

}  // namespace

Status check_adyen_key(std::string_view key) {
    const auto bytes = decode_hex(key);
    if (!bytes || bytes->size() < key_bytes_min) {
        return fail(ErrorKind::invalid, "not a key of hex digits",
                    "give the HMAC key as the Customer Area shows it");
    }
    return {};
}

Result<std::string> adyen_text(json::Value item, bool escaped) {
    const json::Value amount = item.find("amount");
    const std::array fields{item.find("pspReference"),
                            item.find("originalReference"),
                            item.find("merchantAccountCode"),
                            item.find("merchantReference"),
                            amount.find("value"),
                            amount.find("currency"),
                            item.find("eventCode"),
                            item.find("success")};
    std::string text;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (fields[i].is_object() || fields[i].is_array()) {
            return fail(ErrorKind::invalid, "a field that is no text");
        }
        text.append(i == 0 ? "" : ":");
        if (!fields[i].is_null()) {
            text.append(escaped ? escape(fields[i].text()) : fields[i].text());
        }
    }
    return text;
}

Result<std::string> adyen_code(json::Value item, std::string_view key) {
    HELIOS_TRY(check_adyen_key(key));
    HELIOS_TRY_ASSIGN(const auto text, adyen_text(item, false));
    return base64_encode(hmac_sha256(*decode_hex(key), {text}));
}

Proof check_adyen(std::string_view body, std::span<const std::string> keys, std::string subject) {
    const auto document = parse_strict_object(body, limits);
    const json::Value items = document ? document->root().find("notificationItems") : json::Value();
    if (!items.is_array() || items.size() == 0) {
        return Proof::refused(Refusal::malformed, "not a notification with items");
    }
    std::size_t unsigned_items = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const json::Value item = items.at(i).find("NotificationRequestItem");
        switch (check_item(item, keys)) {
            case Item::held:
                break;
            case Item::unsigned_:
                ++unsigned_items;
                break;
            case Item::unreadable:
                return Proof::refused(Refusal::malformed,
                                      fmt::format("item {} can't be checked", i + 1));
            case Item::wrong:
                return Proof::refused(
                    Refusal::wrong_signature,
                    fmt::format("item {} is signed with none of the keys held, or was changed",
                                i + 1));
        }
    }
    if (unsigned_items == items.size()) {
        return {};
    }
    if (unsigned_items > 0) {
        return Proof::refused(Refusal::malformed, "some items are signed, and some are not");
    }
    return Proof::held(std::move(subject));
}

}  // namespace helios::auth
