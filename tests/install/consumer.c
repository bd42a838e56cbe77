/* Somebody else's program: made with the installed headers, linked with the installed library. It checks
 * that both are of one version and that a call which needs the libraries behind libgoat works. */
#include <goat.h>
#include <goat_port.h>

#include <stdio.h>
#include <string.h>

int main(void) {
    static const char json[] = "{\"name\":\"shells\",\"size\":[1,2.5,null]}";
    goat_buf value = {0}, text = {0};
    bool good = strcmp(goat_version(), GOAT_VERSION) == 0 && goat_abi_version() == GOAT_ABI_VERSION &&
                goat_value_from_json(json, sizeof json - 1, &value, NULL) == GOAT_OK &&
                goat_value_to_json(value.data, value.size, &text, NULL) == GOAT_OK && text.size == sizeof json - 1 &&
                memcmp(text.data, json, text.size) == 0;
    printf("libgoat %s: %s\n", goat_version(), good ? "good" : "wrong");
    goat_buf_free(&value);
    goat_buf_free(&text);
    return good ? 0 : 1;
}
