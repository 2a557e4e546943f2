#include "model/counts.h"

#include "base/bytes.h"
#include "model/record_bytes.h"

namespace helios::model {

std::string encode(const Counts& counts) {
    ByteWriter out;
    out.string(counts.tenant.text());
    out.string(counts.hop);
    out.string(counts.source);
    out.zigzag(to_nanos(counts.minute));
    out.varint(counts.deltas.size());
    for (const auto& [name, delta] : counts.deltas) {
        out.string(name);
        out.varint(delta);
    }
    return out.take();
}

Result<Counts> decode_counts(std::string_view bytes) {
    ByteReader in(bytes);
    Counts counts(read_tenant(in));
    counts.hop = in.string();
    counts.source = in.string();
    counts.minute = from_nanos(in.zigzag());
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        std::string name{in.string()};
        counts.deltas[std::move(name)] = in.varint();
    }
    if (!in.at_end()) {
        return fail(ErrorKind::corrupt, "not a counts record");
    }
    return counts;
}

}  // namespace helios::model
