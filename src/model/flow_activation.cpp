#include "model/flow_activation.h"

#include "base/bytes.h"
#include "model/record_bytes.h"

namespace helios::model {

std::string encode(const FlowActivation& activation) {
    ByteWriter out;
    out.string(activation.tenant.text());
    out.string(activation.flow);
    out.varint(activation.version);
    out.string(activation.text);
    out.string(activation.hash);
    out.varint(static_cast<std::uint64_t>(activation.lead.count()));
    write_fields(out, {}, activation.unknown);
    return out.take();
}

Result<FlowActivation> decode_flow_activation(std::string_view bytes) {
    ByteReader in(bytes);
    FlowActivation activation(read_tenant(in));
    activation.flow = in.string();
    activation.version = static_cast<std::uint32_t>(in.varint());
    activation.text = in.string();
    activation.hash = in.string();
    activation.lead = Duration(static_cast<std::int64_t>(in.varint()));
    for (FieldReader field(in); field.next();) {
        field.keep(activation.unknown);
    }
    if (!in.at_end()) {
        return fail(ErrorKind::corrupt, "not a flow activation record");
    }
    return activation;
}

}  // namespace helios::model
