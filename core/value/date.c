/* RFC 3339 in and out. No time zone database, no leap seconds: a second that POSIX time cannot name is
 * refused rather than moved. */
#include "value/date.h"

#include "value/value.h"

#define NOT_A_DATE "not a date as RFC 3339 writes it, such as 2026-01-31T12:00:00Z"

enum { DAY_SECONDS = 86400 };

/* Days from 1970-01-01 to a day of the Gregorian calendar. Years are counted from March, so that the
 * leap day is the last of its year; 400 years are 146,097 days. */
static int64_t days_of(int64_t year, unsigned month, unsigned day) {
    year -= month <= 2;
    int64_t era = year / 400; /* the year is not negative here */
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void day_from(int64_t days, unsigned *year, unsigned *month, unsigned *day) {
    days += 719468;
    int64_t era = days / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * from_march + 2) / 5 + 1);
    *month = (unsigned)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = (unsigned)(year_of_era + era * 400 + (*month <= 2));
}

static char *put_digits(char *p, unsigned width, unsigned number) {
    for (unsigned i = width; i-- > 0; number /= 10) {
        p[i] = (char)('0' + number % 10);
    }
    return p + width;
}

size_t gt_date_write(char out[GT_DATE_TEXT_MAX], int64_t date_ms) {
    int64_t since_year_1 = date_ms - GT_DATE_MIN_MS; /* not negative, so that division rounds down */
    unsigned milliseconds = (unsigned)(since_year_1 % 1000);
    unsigned second = (unsigned)(since_year_1 / 1000 % DAY_SECONDS);
    int64_t days = since_year_1 / 1000 / DAY_SECONDS + GT_DATE_MIN_MS / 1000 / DAY_SECONDS;
    unsigned year, month, day;
    char *p = out;

    day_from(days, &year, &month, &day);
    p = put_digits(p, 4, year);
    *p++ = '-';
    p = put_digits(p, 2, month);
    *p++ = '-';
    p = put_digits(p, 2, day);
    *p++ = 'T';
    p = put_digits(p, 2, second / 3600);
    *p++ = ':';
    p = put_digits(p, 2, second / 60 % 60);
    *p++ = ':';
    p = put_digits(p, 2, second % 60);
    if (milliseconds != 0) {
        *p++ = '.';
        p = put_digits(p, 3, milliseconds);
    }
    *p++ = 'Z';
    return (size_t)(p - out);
}

/* Reads one part after the other; `good` falls at the first that is not there. */
typedef struct scan {
    gt_bytes left;
    bool good;
} scan;

static uint8_t next_byte(const scan *s) { return s->left.len > 0 ? s->left.data[0] : 0; }

static bool take(scan *s, char wanted) {
    uint8_t byte = next_byte(s);
    bool letter = wanted == 'T' || wanted == 'Z'; /* of either case */
    if (s->left.len == 0 || (byte != (uint8_t)wanted && !(letter && byte == (uint8_t)(wanted | 0x20)))) {
        return false;
    }
    s->left.data++;
    s->left.len--;
    return true;
}

static void want(scan *s, char wanted) { s->good = take(s, wanted) && s->good; }

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

static unsigned digits(scan *s, unsigned count) {
    unsigned number = 0;
    for (; count > 0; count--) {
        uint8_t byte = next_byte(s);
        if (!is_digit(byte)) {
            s->good = false;
            return 0;
        }
        number = number * 10 + (byte - '0');
        s->left.data++;
        s->left.len--;
    }
    return number;
}

/* The digits behind the point. False if they are finer than a millisecond. */
static bool fraction(scan *s, unsigned *milliseconds) {
    bool fits = true;
    unsigned weight = 100;
    *milliseconds = 0;
    s->good = s->good && is_digit(next_byte(s));
    for (; is_digit(next_byte(s)); weight /= 10) {
        unsigned digit = digits(s, 1);
        *milliseconds += weight * digit;
        fits = fits && (weight > 0 || digit == 0);
    }
    return fits;
}

static unsigned month_days(unsigned year, unsigned month) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

const char *gt_date_fault(gt_bytes text, int64_t *date_ms) {
    scan s = {text, true};
    unsigned milliseconds = 0, zone_hour = 0, zone_minute = 0;
    bool fits = true;

    unsigned year = digits(&s, 4);
    want(&s, '-');
    unsigned month = digits(&s, 2);
    want(&s, '-');
    unsigned day = digits(&s, 2);
    want(&s, 'T');
    unsigned hour = digits(&s, 2);
    want(&s, ':');
    unsigned minute = digits(&s, 2);
    want(&s, ':');
    unsigned second = digits(&s, 2);
    if (take(&s, '.')) {
        fits = fraction(&s, &milliseconds);
    }
    int zone_sign = take(&s, '+') ? 1 : take(&s, '-') ? -1 : 0;
    if (zone_sign == 0) {
        want(&s, 'Z');
    } else {
        zone_hour = digits(&s, 2);
        want(&s, ':');
        zone_minute = digits(&s, 2);
    }
    if (!s.good || s.left.len > 0) {
        return NOT_A_DATE;
    }
    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour > 23 || minute > 59 ||
        zone_hour > 23 || zone_minute > 59 || second > 60) {
        return "a date that the calendar does not have";
    }
    if (second == 60) {
        return "a date in a leap second";
    }
    if (!fits) {
        return "a date that is finer than a millisecond";
    }
    if (year == 0) {
        return "a date before the year 1";
    }
    int64_t seconds = days_of(year, month, day) * DAY_SECONDS + (int64_t)(hour * 3600 + minute * 60 + second) -
                      zone_sign * (int64_t)(zone_hour * 3600 + zone_minute * 60);
    int64_t date = seconds * 1000 + milliseconds;
    if (date < GT_DATE_MIN_MS || date > GT_DATE_MAX_MS) {
        return "a date outside of the years 1 to 9999";
    }
    *date_ms = date;
    return NULL;
}
