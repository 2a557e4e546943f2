#include "model/record_bytes.h"

#include <algorithm>

#include "base/position_bytes.h"

namespace helios::model {

TenantId read_tenant(ByteReader& in) {
    auto tenant = TenantId::parse(in.string());
    if (!tenant) {
        in.spoil();
        return default_tenant();
    }
    return *std::move(tenant);
}

Position read_pointer(ByteReader& in) {
    const Position pointer = read_position(in);
    if (pointer.partition.topic != no_topic && name_of(pointer.partition.topic).empty()) {
        in.spoil();
    }
    return pointer;
}

std::string_view trace_bytes(const TraceId& id) {
    if (!id) {
        return {};
    }
    return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

bool read_trace(std::string_view bytes, TraceId& id) {
    if (bytes.size() != id.bytes.size()) {
        return false;
    }
    std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
    return true;
}

void write_time(ByteWriter& out, const std::optional<Instant>& t) {
    out.boolean(t.has_value());
    if (t) {
        out.zigzag(to_nanos(*t));
    }
}

std::optional<Instant> read_time(ByteReader& in) {
    if (!in.boolean()) {
        return std::nullopt;
    }
    return from_nanos(in.zigzag());
}

void write_strings(ByteWriter& out, const std::vector<std::string>& strings) {
    out.varint(strings.size());
    for (const auto& s : strings) {
        out.string(s);
    }
}

std::vector<std::string> read_strings(ByteReader& in) {
    std::vector<std::string> strings;
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        strings.emplace_back(in.string());
    }
    return strings;
}

}  // namespace helios::model
