/* toml++ stays inside this file, and so do its exceptions. */

/* toml++ takes some malformed input for impossible: with NDEBUG that is undefined behaviour, without it an abort. Both become
 * an exception here, in every build. */
#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? static_cast<void>(0) : throw malformed())
struct malformed {};

extern "C" {
#include "core/base/file.h"
#include "core/base/toml.h"
}

#include <algorithm>
#include <cstdarg>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC diagnostic push
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wterminate" /* assertions about itself, in functions that may not throw, still end the program */
#endif
#include <toml++/toml.h>
#pragma GCC diagnostic pop

struct vlb_toml {
  vlb_toml_kind kind = VLB_TOML_OTHER;
  int line = 0, column = 0;
  std::shared_ptr<const std::string> file;
  std::string text;
  int64_t integer = 0;
  double real = 0;
  bool boolean = false;
  std::vector<std::string> keys; /* of a table, beside `children` */
  std::vector<std::unique_ptr<vlb_toml>> children;
};

namespace {

using owned = std::unique_ptr<vlb_toml>;
using file_name = std::shared_ptr<const std::string>;

/* A message that already carries its place. */
struct failure {
  std::string message;
};

std::string place(const vlb_toml &node) {
  return *node.file + ":" + std::to_string(node.line) + ":" + std::to_string(node.column) + ": ";
}

/* C strings end at the first zero, so one inside a text would silently cut it. */
void refuse_zero(const vlb_toml &node, std::string_view s) {
  if (s.find('\0') != std::string_view::npos) throw failure{place(node) + "a zero character in a string"};
}

owned convert(const toml::node &in, const file_name &file);

void convert_table(const toml::table &in, vlb_toml &out) {
  struct entry {
    std::string key;
    owned node;
  };
  std::vector<entry> entries;
  for (auto &&[key, value] : in) {
    entries.push_back({std::string(key.str()), convert(value, out.file)});
    refuse_zero(*entries.back().node, entries.back().key);
  }
  /* toml++ sorts by name; users expect the order of the file */
  std::stable_sort(entries.begin(), entries.end(), [](const entry &a, const entry &b) {
    return std::make_pair(a.node->line, a.node->column) < std::make_pair(b.node->line, b.node->column);
  });
  for (entry &e : entries) {
    out.keys.push_back(std::move(e.key));
    out.children.push_back(std::move(e.node));
  }
}

owned convert(const toml::node &in, const file_name &file) {
  owned out = std::make_unique<vlb_toml>();
  out->file = file;
  out->line = static_cast<int>(in.source().begin.line);
  out->column = static_cast<int>(in.source().begin.column);
  if (const toml::table *table = in.as_table()) {
    out->kind = VLB_TOML_TABLE;
    convert_table(*table, *out);
  } else if (const toml::array *array = in.as_array()) {
    out->kind = VLB_TOML_ARRAY;
    for (const toml::node &child : *array) out->children.push_back(convert(child, file));
  } else if (auto text = in.as_string()) {
    out->kind = VLB_TOML_TEXT;
    out->text = text->get();
    refuse_zero(*out, out->text);
  } else if (auto integer = in.as_integer()) {
    out->kind = VLB_TOML_INT;
    out->integer = integer->get();
    out->real = static_cast<double>(out->integer);
  } else if (auto real = in.as_floating_point()) {
    out->kind = VLB_TOML_REAL;
    out->real = real->get();
  } else if (auto boolean = in.as_boolean()) {
    out->kind = VLB_TOML_BOOL;
    out->boolean = boolean->get();
  }
  return out;
}

std::string describe(const toml::parse_error &e, const char *name) {
  std::ostringstream s;
  s << name << ":" << e.source().begin.line << ":" << e.source().begin.column << ": " << e.description();
  return s.str();
}

/* Outside of strings and comments TOML is ASCII; toml++ 3.3 runs into undefined behaviour on some other letters there.
 * Returns the line of the first one, 0 when there is none. */
int foreign_line(std::string_view text) {
  std::string_view quote; /* what ends the open string */
  bool comment = false;
  int line = 1;
  for (size_t i = text.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0; i < text.size(); i++) {
    const char c = text[i];
    if (c == '\n') {
      line++;
      comment = false;
      if (quote.size() == 1) quote = {};
    } else if (comment) {
      continue;
    } else if (!quote.empty()) {
      if (c == '\\' && quote[0] == '"' && text.substr(i + 1, 1) != "\n") i++;
      else if (text.substr(i, quote.size()) == quote) i += quote.size() - 1, quote = {};
    } else if (c == '"' || c == '\'') {
      bool lines = text.substr(i, 3) == std::string(3, c);
      quote = text.substr(i, lines ? 3 : 1);
      i += quote.size() - 1;
    } else if (c == '#') {
      comment = true;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      return line;
    }
  }
  return 0;
}

/* Where the text stops being possible: the shortest head of whole lines that fails like the whole. */
int malformed_line(std::string_view text) {
  int line = 1;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1), line++) {
    try {
      (void)toml::parse(text.substr(0, end));
    } catch (const malformed &) {
      break;
    } catch (const std::exception &) {
      /* an unfinished head */
    }
  }
  return line;
}

vlb_code parse(std::string_view text, const char *name, vlb_toml **root, vlb_error *err) {
  if (int line = foreign_line(text))
    return vlb_fail(err, VLB_USAGE, "%s:%d: a letter outside of quotes that TOML does not allow there", name, line);
  try {
    toml::table table = toml::parse(text, std::string_view(name));
    *root = convert(table, std::make_shared<const std::string>(name)).release();
    return VLB_OK;
  } catch (const failure &e) {
    return vlb_fail(err, VLB_USAGE, "%s", e.message.c_str());
  } catch (const malformed &) {
    return vlb_fail(err, VLB_USAGE, "%s:%d: this is not TOML", name, malformed_line(text));
  } catch (const toml::parse_error &e) {
    return vlb_fail(err, VLB_USAGE, "%s", describe(e, name).c_str());
  } catch (const std::exception &e) {
    return vlb_fail(err, VLB_FAILED, "%s: cannot read: %s", name, e.what());
  }
}

}  // namespace

extern "C" {

vlb_code vlb_toml_read(const char *path, vlb_toml **root, vlb_error *err) {
  char *data = nullptr;
  size_t size = 0;
  vlb_code code = vlb_file_read(path, &data, &size, err);
  if (code == VLB_OK) {
    code = parse(std::string_view(data, size), path, root, err);
    free(data);
    return code;
  }
  if (err) err->code = VLB_USAGE; /* the user named this file */
  return VLB_USAGE;
}

vlb_code vlb_toml_parse(const char *text, const char *name, vlb_toml **root, vlb_error *err) {
  return parse(text, name, root, err);
}

void vlb_toml_free(vlb_toml *root) { delete root; }

vlb_toml_kind vlb_toml_kind_of(const vlb_toml *node) { return node->kind; }

const char *vlb_toml_kind_name(vlb_toml_kind kind) {
  switch (kind) {
    case VLB_TOML_TABLE: return "a table";
    case VLB_TOML_ARRAY: return "an array";
    case VLB_TOML_TEXT: return "a string";
    case VLB_TOML_INT: return "an integer";
    case VLB_TOML_REAL: return "a number with a fraction";
    case VLB_TOML_BOOL: return "a boolean";
    case VLB_TOML_OTHER: break;
  }
  return "a date or time";
}

const char *vlb_toml_file(const vlb_toml *node) { return node->file->c_str(); }
int vlb_toml_line(const vlb_toml *node) { return node->line; }
int vlb_toml_size(const vlb_toml *node) { return static_cast<int>(node->children.size()); }

const vlb_toml *vlb_toml_at(const vlb_toml *node, int index) {
  return index >= 0 && index < vlb_toml_size(node) ? node->children[static_cast<size_t>(index)].get() : nullptr;
}

const char *vlb_toml_key(const vlb_toml *table, int index) {
  bool inside = index >= 0 && static_cast<size_t>(index) < table->keys.size();
  return inside ? table->keys[static_cast<size_t>(index)].c_str() : nullptr;
}

const vlb_toml *vlb_toml_get(const vlb_toml *table, const char *key) {
  for (size_t i = 0; i < table->keys.size(); i++)
    if (table->keys[i] == key) return table->children[i].get();
  return nullptr;
}

const char *vlb_toml_text(const vlb_toml *node) { return node->text.c_str(); }
int64_t vlb_toml_int(const vlb_toml *node) { return node->integer; }
double vlb_toml_real(const vlb_toml *node) { return node->real; }
bool vlb_toml_bool(const vlb_toml *node) { return node->boolean; }

vlb_code vlb_toml_fail(const vlb_toml *node, vlb_error *err, const char *format, ...) {
  char text[900];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (node->line == 0) return vlb_fail(err, VLB_USAGE, "%s: %s", node->file->c_str(), text);
  return vlb_fail(err, VLB_USAGE, "%s:%d: %s", node->file->c_str(), node->line, text);
}
}
