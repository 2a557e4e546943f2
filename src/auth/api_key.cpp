#include "auth/api_key.h"

#include <algorithm>
#include <span>

namespace helios::auth {

namespace {

constexpr std::string_view digits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t id_digits = 11;      // 62^11 > 2^64
constexpr std::size_t secret_digits = 43;  // 62^43 > 2^256
constexpr std::size_t sum_digits = 6;      // 62^6 > 2^32
constexpr std::size_t text_bytes =
    api_key_prefix.size() + id_digits + 1 + secret_digits + sum_digits;

/// A big-endian number in base 62, with leading zeros.
std::string base62(std::span<const std::uint8_t> number, std::size_t width) {
    std::string rest(number.begin(), number.end());
    std::string out(width, digits[0]);
    for (std::size_t place = width; place-- > 0;) {
        unsigned remainder = 0;
        for (char& byte : rest) {
            const unsigned value = remainder * 256 + static_cast<unsigned char>(byte);
            byte = static_cast<char>(static_cast<unsigned char>(value / digits.size()));
            remainder = value % digits.size();
        }
        out[place] = digits[remainder];
    }
    return out;
}

std::string sum_of(std::string_view text) {
    const std::uint32_t sum = crc32c(text);
    const std::array<std::uint8_t, 4> bytes{
        static_cast<std::uint8_t>(sum >> 24), static_cast<std::uint8_t>(sum >> 16),
        static_cast<std::uint8_t>(sum >> 8), static_cast<std::uint8_t>(sum)};
    return base62(bytes, sum_digits);
}

}  // namespace

NewApiKey make_api_key(const ApiKeyEntropy& entropy) {
    const std::span<const std::uint8_t> bytes(entropy);
    NewApiKey key;
    key.id = base62(bytes.first(8), id_digits);
    key.text = std::string(api_key_prefix) + key.id + "_" + base62(bytes.subspan(8), secret_digits);
    key.text += sum_of(key.text);
    key.digest = digest_of_api_key(key.text);
    return key;
}

std::expected<std::string_view, Proof> parse_api_key(std::string_view text) {
    if (!text.starts_with(api_key_prefix)) {
        return std::unexpected(Proof{});
    }
    const auto id = text.substr(api_key_prefix.size()).substr(0, id_digits);
    const bool shaped = text.size() == text_bytes &&
                        id.find_first_not_of(digits) == std::string_view::npos &&
                        text[api_key_prefix.size() + id_digits] == '_';
    if (!shaped ||
        sum_of(text.substr(0, text_bytes - sum_digits)) != text.substr(text_bytes - sum_digits)) {
        return std::unexpected(
            Proof::refused(Refusal::malformed, "an API key that was mistyped or cut"));
    }
    return id;
}

Digest256 digest_of_api_key(std::string_view text) {
    return sha256(text);
}

}  // namespace helios::auth
