#include "model/tagged_fields.h"

#include <gtest/gtest.h>

namespace helios::model {
namespace {

std::string written(std::string_view customer, std::string_view origin,
                    const UnknownFields& unknown) {
    ByteWriter out;
    write_fields(out, {{FieldTag::customer, customer}, {FieldTag::origin, origin}}, unknown);
    return out.take();
}

TEST(TaggedFields, what_is_unknown_is_kept_in_its_place) {
    const std::string bytes = written("C-1", "o", {{5, "five"}, {77, "late"}});
    ByteReader in(bytes);
    FieldReader fields(in);
    std::string customer;
    std::string origin;
    UnknownFields unknown;
    while (fields.next()) {
        if (fields.tag() == FieldTag::customer) {
            customer = fields.bytes();
        } else if (fields.tag() == FieldTag::origin) {
            origin = fields.bytes();
        } else {
            fields.keep(unknown);
        }
    }
    ASSERT_TRUE(in.at_end());
    EXPECT_EQ(customer, "C-1");
    EXPECT_EQ(origin, "o");
    EXPECT_EQ(unknown, (UnknownFields{{5, "five"}, {77, "late"}}));
    EXPECT_EQ(written(customer, origin, unknown), bytes);
    EXPECT_EQ(written("", "", {}), "");
}

TEST(TaggedFields, what_is_not_in_order_or_empty_spoils_the_record) {
    for (const std::string_view bytes : {std::string_view("\x02\x01"
                                                          "a\x01\x01"
                                                          "b"),  // falls
                                         std::string_view("\x01\x01"
                                                          "a\x01\x01"
                                                          "b"),  // twice
                                         std::string_view("\0\x01"
                                                          "a",
                                                          3),            // no tag
                                         std::string_view("\x01\0", 2),  // empty
                                         std::string_view("\x01\x05"
                                                          "a"),  // cut
                                         std::string_view("\x01")}) {
        ByteReader in(bytes);
        FieldReader fields(in);
        while (fields.next()) {
        }
        EXPECT_FALSE(in.at_end()) << bytes;
    }
}

}  // namespace
}  // namespace helios::model
