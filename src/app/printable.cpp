#include "app/printable.h"

namespace helios::app {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
}

/// Bytes of the steering character at `i`; 0: another one.
std::size_t steering(std::string_view text, std::size_t i) {
    const unsigned first = byte_at(text, i);
    const unsigned second = byte_at(text, i + 1);
    const unsigned third = byte_at(text, i + 2);
    if (first < 0x20 || first == 0x7F) {
        return 1;
    }
    if (first == 0xC2 && second >= 0x80 && second <= 0x9F) {
        return 2;
    }
    if (first == 0xE2 &&
        ((second == 0x80 && third >= 0xAA && third <= 0xAE) || (second == 0x81 && third >= 0xA6 && third <= 0xA9))) {
        return 3;
    }
    return 0;
}

}  // namespace

std::string printable(std::string_view text, std::string_view keep) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t bytes = keep.find(text[i]) == std::string_view::npos ? steering(text, i) : 0;
        out.push_back(bytes == 0 ? text[i] : '?');
        i += bytes == 0 ? 1 : bytes;
    }
    return out;
}

}  // namespace helios::app
