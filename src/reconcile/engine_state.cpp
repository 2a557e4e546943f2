#include "reconcile/engine_state.h"

#include <limits>

#include "base/bytes.h"
#include "base/hash.h"

namespace helios::reconcile {
namespace {

constexpr std::size_t checksum_bytes = 4;

std::string prefixed(char kind, std::string_view id) {
    std::string key;
    key.reserve(1 + id.size());
    key.push_back(kind);
    key.append(id);
    return key;
}

std::unexpected<Error> damaged(std::string_view what) {
    return fail(ErrorKind::corrupt, "the engine's state is damaged: " + std::string(what));
}

/// The value without its checksum; nothing: it does not hold.
std::optional<std::string_view> body_of(std::string_view key, std::string_view value) {
    if (value.size() < checksum_bytes) {
        return std::nullopt;
    }
    const std::string_view body = value.substr(0, value.size() - checksum_bytes);
    ByteReader in(value.substr(body.size()));
    if (in.u32() != crc32c(body, crc32c(key))) {
        return std::nullopt;
    }
    return body;
}

}  // namespace

std::string seal(std::string_view key, std::string body) {
    const std::uint32_t sum = crc32c(body, crc32c(key));
    for (int shift = 0; shift < 32; shift += 8) {
        body.push_back(static_cast<char>(sum >> shift & 0xff));
    }
    return body;
}

std::string open_key(std::string_view id) {
    return prefixed(entry::open, id);
}

std::string closed_key(std::string_view id) {
    return prefixed(entry::closed, id);
}

std::string flow_key(std::uint32_t number) {
    std::string key(1, entry::flow);
    for (int shift = 24; shift >= 0; shift -= 8) {
        key.push_back(static_cast<char>(number >> shift & 0xff));
    }
    return key;
}

std::string encode_summary(const EngineSummary& summary) {
    ByteWriter out;
    out.zigzag(to_nanos(summary.time));
    out.zigzag(to_nanos(summary.expired_before));
    out.varint(summary.level);
    out.boolean(summary.one_case_per_key);
    out.varint(summary.records_without_flow);
    out.varint(summary.flows);
    out.varint(summary.open);
    out.varint(summary.closed);
    return seal(std::string_view(&entry::summary, 1), out.take());
}

Result<EngineSummary> decode_summary(std::string_view value) {
    const auto body = body_of(std::string_view(&entry::summary, 1), value);
    if (!body) {
        return damaged("its summary");
    }
    ByteReader in(*body);
    EngineSummary out;
    out.time = from_nanos(in.zigzag());
    out.expired_before = from_nanos(in.zigzag());
    const auto level = in.varint();
    out.level = static_cast<std::uint32_t>(level);
    out.one_case_per_key = in.boolean();
    out.records_without_flow = in.varint();
    out.flows = in.varint();
    out.open = in.varint();
    out.closed = in.varint();
    if (!in.at_end() || level > std::numeric_limits<std::uint32_t>::max() || out.time < Instant{} ||
        out.expired_before > out.time) {
        return damaged("its summary");
    }
    return out;
}

std::string encode_absences(const std::vector<model::AbsenceRecord>& pieces) {
    ByteWriter out;
    out.varint(pieces.size());
    for (const auto& piece : pieces) {
        out.string(model::encode(piece));
    }
    return seal(std::string_view(&entry::absences, 1), out.take());
}

Result<std::vector<model::AbsenceRecord>> decode_absences(std::string_view value) {
    const auto body = body_of(std::string_view(&entry::absences, 1), value);
    if (!body) {
        return damaged("its absences");
    }
    ByteReader in(*body);
    std::vector<model::AbsenceRecord> out;
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        auto piece = model::decode_absence(in.string());
        if (!piece) {
            return damaged("its absences");
        }
        out.push_back(*std::move(piece));
    }
    if (!in.at_end()) {
        return damaged("its absences");
    }
    return out;
}

std::string encode_flow(std::string_view key, const ActivatedFlow& flow) {
    ByteWriter out;
    out.string(flow.tenant.text());
    out.string(flow.text);
    return seal(key, out.take());
}

Result<ActivatedFlow> decode_flow(std::string_view key, std::string_view value) {
    const auto body = body_of(key, value);
    if (!body) {
        return damaged("a flow");
    }
    ByteReader in(*body);
    auto tenant = TenantId::parse(in.string());
    const std::string_view text = in.string();
    if (!tenant || !in.at_end()) {
        return damaged("a flow");
    }
    return ActivatedFlow{*std::move(tenant), std::string(text)};
}

std::string encode_open(std::string_view key, const Case& c) {
    return seal(key, c.encode());
}

Result<std::string_view> decode_open(std::string_view key, std::string_view value) {
    const auto body = body_of(key, value);
    if (!body) {
        return damaged("an open case");
    }
    return *body;
}

std::string encode_closed(std::string_view key, const ClosedCase& closed) {
    ByteWriter out;
    out.varint(closed.instance);
    if (!closed.bytes.empty()) {
        out.zigzag(to_nanos(closed.amend_until));
        out.raw(closed.bytes);
    }
    return seal(key, out.take());
}

Result<ClosedCase> decode_closed(std::string_view key, std::string_view value) {
    const auto body = body_of(key, value);
    if (!body) {
        return damaged("a closed case");
    }
    ByteReader in(*body);
    ClosedCase out;
    const auto instance = in.varint();
    out.instance = static_cast<std::uint32_t>(instance);
    out.amend_until = Instant::min();
    if (!in.at_end()) {
        out.amend_until = from_nanos(in.zigzag());
        out.bytes = in.rest();
    }
    if (!in.ok() || instance > std::numeric_limits<std::uint32_t>::max()) {
        return damaged("a closed case");
    }
    return out;
}

std::optional<std::string> shrink_closed(std::string_view key, std::string_view value,
                                         Instant expired_before) {
    if (key.empty() || key.front() != entry::closed) {
        return std::nullopt;
    }
    ByteReader in(value);
    const auto instance = in.varint();
    if (in.rest().size() <= checksum_bytes || from_nanos(in.zigzag()) >= expired_before ||
        !body_of(key, value)) {
        return std::nullopt;  // the checksum comes last: most are not that old
    }
    ByteWriter out;
    out.varint(instance);
    return seal(key, out.take());
}

}  // namespace helios::reconcile
