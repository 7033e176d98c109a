/** A date of the proleptic Gregorian calendar, in nobody's time zone in particular. */
export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

// After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"
// (https://howardhinnant.github.io/date_algorithms.html): years begin in March, so that the leap day comes
// last, and repeat every 400 years (an era of 146,097 days). 719,468 days lie between 0000-03-01 and 1970-01-01.

/** The date of an epoch day: 0 is 1970-01-01. */
export function civilFromDays(epochDays: number): CivilDate {
  const days = epochDays + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - daysBeforeYear(yearOfEra);
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

/** The epoch day of a date. Month 13 is January of the next year. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const marchMonth = month > 2 ? month - 3 : month + 9;
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1;
  return era * 146_097 + daysBeforeYear(marchYear - era * 400) + dayOfYear - 719_468;
}

/** The epoch day of the first of a month, counted from January of `year`: -11 is January of the year before. */
export function firstOfMonth(year: number, month: number): number {
  const years = Math.floor((month - 1) / 12);
  return daysFromCivil(year + years, month - years * 12, 1);
}

function daysBeforeYear(yearOfEra: number): number {
  return 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
}
