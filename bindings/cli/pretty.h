/* JSON for people: one member a line. The text must be JSON; white space in it is not expected. */
#ifndef CLI_PRETTY_H
#define CLI_PRETTY_H

#include "json.h"

void pretty_print(json_slice compact);

#endif
