#include "base/yaml.h"

#include <gtest/gtest.h>

namespace helios::yaml {
namespace {

Error error_of(std::string_view text) {
    const auto result = parse(text, "f.yaml");
    EXPECT_FALSE(result) << text;
    return result ? Error{} : result.error();
}

TEST(Yaml, scalars_are_text_and_know_their_place) {
    const auto doc = parse("a: no\nb: 0012\nc:\n  - \"1.0\"\n  - ~\n", "f.yaml");
    ASSERT_TRUE(doc) << doc.error().message();
    ASSERT_TRUE(doc->is_map());
    EXPECT_EQ(doc->find("a")->text, "no");
    EXPECT_EQ(doc->find("b")->text, "0012");
    EXPECT_FALSE(doc->find("b")->quoted);
    const Node& list = *doc->find("c");
    ASSERT_EQ(list.items.size(), 2u);
    EXPECT_TRUE(list.items[0].quoted);
    EXPECT_EQ(list.items[0].mark.line, 4);
    EXPECT_EQ(list.items[0].mark.column, 5);
    EXPECT_TRUE(list.items[1].is_null());
    EXPECT_EQ(doc->members[2].key_mark.line, 3);
    EXPECT_EQ(doc->find("d"), nullptr);
}

TEST(Yaml, empty_is_null) {
    for (const char* text : {"", "# only a comment\n", "---\n"}) {
        const auto doc = parse(text, "f.yaml");
        ASSERT_TRUE(doc) << doc.error().message();
        EXPECT_TRUE(doc->is_null());
    }
}

TEST(Yaml, refuses_what_hides_meaning) {
    EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n").what,
              "f.yaml:3:1: the key 'a' occurs twice; first in line 1");
    EXPECT_NE(error_of("a: &x 1\nb: *x\n").what.find("f.yaml:1:4: an anchor"), std::string::npos);
    EXPECT_NE(error_of("a: !!int 1\n").what.find("a tag (tag:yaml.org,2002:int)"),
              std::string::npos);
    EXPECT_NE(error_of("a: 1\n---\nb: 2\n").what.find("a second document"), std::string::npos);
    EXPECT_NE(error_of("? [a, b]\n: c\n").what.find("a key must be plain text"), std::string::npos);
    EXPECT_NE(error_of("~: c\n").what.find("an empty key"), std::string::npos);
}

TEST(Yaml, broken_text_names_its_place) {
    EXPECT_EQ(error_of("a: [1, 2\nb: 3\n").what.rfind("f.yaml:", 0), 0u);
    EXPECT_EQ(error_of("a: 1\nb: \xff\n").what, "f.yaml:2:4: not UTF-8 text");
    EXPECT_EQ(error_of("a: \xe2\x82").what, "f.yaml:1:4: not UTF-8 text");
    EXPECT_EQ(error_of(std::string_view("a: \0b", 5)).what, "f.yaml:1:4: not UTF-8 text");
}

TEST(Yaml, deep_and_large_documents_are_refused_not_followed) {
    EXPECT_FALSE(parse(std::string(100'000, '['), "f.yaml"));
    EXPECT_FALSE(parse(std::string(2u << 20, 'a'), "f.yaml"));
    EXPECT_NE(error_of(std::string(100, '[') + std::string(100, ']')).what.find("nested deeper"),
              std::string::npos);
}

std::vector<std::string> errors_of(std::string_view text) {
    std::vector<std::string> out;
    for (const auto& error : read(text, "f").errors) {
        out.push_back(error.message());
    }
    return out;
}
using V = std::vector<std::string>;

TEST(Yaml, all_complaints_at_once_and_a_tree_of_the_rest) {
    const auto reading = read("a: 1\na: 2\nb: &x 1\nc: *x\nd: !!int 1\n~: 5\ne: 6\n", "f");
    EXPECT_EQ(reading.errors.size(), 5u);
    ASSERT_TRUE(reading.root);
    EXPECT_EQ(reading.root->members.size(), 5u);
    EXPECT_EQ(reading.root->find("a")->text, "1");
    EXPECT_EQ(reading.root->find("e")->text, "6");
}

TEST(Yaml, tabs_are_named) {
    EXPECT_EQ(errors_of("a:\n\tb: 1\n\tc: 2\n"),
              (V{"f:2:1: a tab in the indentation; YAML wants spaces: write two for each level",
                 "f:3:1: a tab in the indentation; YAML wants spaces: write two for each level"}));
    EXPECT_EQ(errors_of("a:\n  b: 1\n  \tc: 2\n").size(), 1u);
    EXPECT_EQ(errors_of("a: |\n  one\n  \ttwo\nb: [1,\n\t2]\n"), V{})
        << "in texts and brackets they are harmless";
}

TEST(Yaml, a_missing_colon_is_named_in_its_own_line) {
    EXPECT_EQ(errors_of("flow: order\nversion 1\nkey: a\n"),
              (V{"f:2:8: a ':' is missing after 'version'; write  version: value"}));
    EXPECT_EQ(errors_of("a: 1\nlegs:\n  order\n    source: aws\n"),
              (V{"f:3:8: a ':' is missing after 'order'; write  order: value"}));
    EXPECT_EQ(errors_of("a: 1\nkey {name: id}\nb: 2\n"),
              (V{"f:2:4: a ':' is missing after 'key'; write  key: value"}));
    EXPECT_EQ(errors_of("a: 1\nb 2\n"), (V{"f:2:2: a ':' is missing after 'b'; write  b: value"}));
    EXPECT_EQ(errors_of("a 1\nb: 2\nc 3\nd: 4\n").size(), 2u);
    EXPECT_EQ(errors_of("a:1\nb: 2\n"), (V{"f:1:3: no blank after 'a:'; write  a: value"}));
}

TEST(Yaml, what_is_never_closed_is_named_where_it_opens) {
    EXPECT_EQ(errors_of("a: [1, 2\nb: 3\n").front().find("f:1:4: '[' is never closed"), 0u)
        << errors_of("a: [1, 2\nb: 3\n").front();
    EXPECT_EQ(errors_of("a: {b: \"x\nc: 3\n").size(), 2u);
    EXPECT_EQ(errors_of("a: 1\nb: {c: [1}\n").front().find("f:2:10: '}' where ']' is needed"), 0u);
    EXPECT_EQ(errors_of("a: {sum: items[], of: [b]}\n")
                  .front()
                  .find("f:1:15: '[]' within brackets; put the path into quotes"),
              0u);
}

TEST(Yaml, indentation_that_fits_nowhere) {
    EXPECT_EQ(errors_of("flow: order\n  version: 1\n")
                  .front()
                  .find("f:2:3: indented below 'flow', which has a value already"),
              0u);
    EXPECT_EQ(errors_of("a:\n    b: 1\n  c: 2\n")
                  .front()
                  .find("f:3:3: indented by 2, while the lines above are by 0 and 4"),
              0u);
    EXPECT_EQ(errors_of("a: b: c\n").front().find("f:1:5: not YAML: "), 0u)
        << errors_of("a: b: c\n").front();
}

TEST(Yaml, line_ends_and_marks_of_other_systems) {
    for (const char* text : {"a: 1\r\nb:\r\n  - 2\r\n",
                             "\xef\xbb\xbf"
                             "a: 1\nb:\n- 2\n",
                             "---\na: 1\nb: [2]\n...\n"}) {
        const auto reading = read(text, "f");
        ASSERT_EQ(reading.errors.size(), 0u) << reading.errors.front().message();
        EXPECT_EQ(reading.root->find("a")->text, "1");
        EXPECT_EQ(reading.root->find("b")->items.at(0).text, "2");
    }
}

TEST(Nearest, takes_case_for_no_mistake_and_what_is_no_name_for_near_nothing) {
    EXPECT_EQ(nearest("AWS", {"gcp", "aws", "azure"}), "aws");
    EXPECT_EQ(nearest("orderplaced", {"PaymentProcessed", "OrderPlaced"}), "OrderPlaced");
    EXPECT_EQ(nearest(std::string(1'000'000, 'a'), {"aaaa"}), "");
}

TEST(Yaml, nearest_name) {
    EXPECT_EQ(nearest("deadlin", {"deadline", "identity"}), "deadline");
    EXPECT_EQ(nearest("tpye", {"type", "source"}), "type");
    EXPECT_EQ(nearest("xyzzy", {"type", "source"}), "");
    EXPECT_EQ(nearest("--prot", {"--flow", "--to", "--help"}), "")
        << "three letters of four: no typing error";
    EXPECT_EQ(nearest("--prot", {"--flow", "--port"}), "--port")
        << "neighbours that changed places";
    EXPECT_EQ(nearest("--fromat", {"--format", "--from"}), "--format");
    EXPECT_EQ(nearest("ls", {"show", "ls"}), "ls");
    EXPECT_EQ(nearest("x", {"y", "long"}), "y");
}

}  // namespace
}  // namespace helios::yaml
