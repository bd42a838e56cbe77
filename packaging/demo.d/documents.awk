# Debian's package lists (apt-cache dumpavail, or a Packages file) as documents: one JSON object a line, of
# the shape that schema.json describes. For any awk; Debian's base system has mawk.
#
#     apt-cache dumpavail | awk -f documents.awk

BEGIN {
    names["Package"] = "name"; names["Version"] = "version"; names["Section"] = "section"
    names["Priority"] = "priority"; names["Architecture"] = "arch"; names["SHA256"] = "sha256"
    names["Homepage"] = "homepage"; names["Source"] = "source"; names["Description"] = "description"
    names["Description-en"] = "description"
    numbers["Installed-Size"] = "installed_kib"; numbers["Size"] = "size"
    arrays["Depends"] = "depends"; arrays["Tag"] = "tags"
}

function quoted(text) {
    gsub(/\\/, "&&", text)
    gsub(/"/, "\\\\&", text)
    gsub(/[\001-\037]/, " ", text)
    return "\"" text "\""
}

function array_of(text,    count, words, i, out) {
    gsub(/,[ \t]+/, ",", text)
    gsub(/^[ \t]+|[ \t,]+$/, "", text)
    count = split(text, words, ",")
    for (i = 1; i <= count; i++)
        out = out (i > 1 ? "," : "") quoted(words[i])
    return "[" out "]"
}

function end_field() {
    if (field in names) {
        if (field == "Source")
            sub(/ .*/, "", value)
        add(names[field], quoted(value))
    } else if (field in numbers && value ~ /^[0-9]+$/)
        add(numbers[field], value)
    else if (field in arrays && value != "")
        add(arrays[field], array_of(value))
    field = ""
}

function add(name, json) {
    if (name in seen)
        return
    seen[name] = 1
    if (name == "name")
        document_name = json
    document = document (document == "" ? "" : ",") "\"" name "\":" json
}

function end_document() {
    end_field()
    if ("name" in seen && "version" in seen && !(document_name in printed))
        print "{" document "}"
    printed[document_name] = 1 # a list may hold two versions of a package; one is enough
    document = ""
    split("", seen)
}

/^$/ { end_document(); next }
/^[ \t]/ { if (field in arrays) value = value " " $0; next }
{
    end_field()
    colon = index($0, ":")
    field = substr($0, 1, colon - 1)
    value = substr($0, colon + 1)
    gsub(/^[ \t]+|[ \t]+$/, "", value)
}
END { end_document() }
