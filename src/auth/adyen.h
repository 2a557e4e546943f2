#pragma once
/// Adyen's standard notifications: each item carries a code of eight of its fields.
///
/// Adyen's own libraries join the fields as they are; its older documents escape '\' and ':' in
/// them. The two differ only for a field that has one of those, and either is taken. What is not
/// among the eight fields is not signed.

#include <span>
#include <string>
#include <string_view>

#include "auth/proof.h"
#include "base/json.h"
#include "base/result.h"

namespace helios::auth {

/// Hex digits of at least 16 bytes. invalid: anything else; the text is in no message.
Status check_adyen_key(std::string_view key);

/// A whole notification: every item must hold. `keys` in hex. absent: no item has a code. refused,
/// malformed: no notification, or an item whose fields can't be read.
Proof check_adyen(std::string_view body, std::span<const std::string> keys, std::string subject);

/// The code of one item, for whoever sends: what stands in `additionalData.hmacSignature`. `key` in
/// hex. invalid: as adyen_text and check_adyen_key.
Result<std::string> adyen_code(json::Value item, std::string_view key);

/// The text of one item (`NotificationRequestItem`) that is signed. invalid: a field that is
/// neither text nor number nor true nor false.
Result<std::string> adyen_text(json::Value item, bool escaped);

}  // namespace helios::auth
