/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the error codes. */
#include "common/err.h"

const char *
err_name(int err)
{
	switch ((enum err)err) {
	case ERR_OK:
		return "ok";
	case ERR_NOMEM:
		return "no memory";
	case ERR_IO:
		return "i/o error";
	case ERR_FULL:
		return "full";
	case ERR_FORMAT:
		return "malformed";
	case ERR_RANGE:
		return "out of range";
	case ERR_VERSION:
		return "made by a newer version";
	case ERR_BUSY:
		return "busy";
	case ERR_NOTFOUND:
		return "not found";
	case ERR_AGAIN:
		return "nothing there now";
	}
	return "unknown error";
}
