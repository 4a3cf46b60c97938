using CsCheck;
using Millrace.Inspecting;

namespace Millrace.Tests.Inspecting;

public sealed class CronWordsTests
{
    [Theory]
    // Often
    [InlineData("* * * * * *", "every second")]
    [InlineData("*/10 * * * * *", "every 10 seconds")]
    [InlineData("*/7 * * * * *", "every 7 seconds from each minute")]
    [InlineData("* * * * *", "every minute")]
    [InlineData("0 * * * * *", "every minute")]
    [InlineData("30 * * * * *", "at 30 seconds past every minute")]
    [InlineData("*/15 * * * *", "every 15 minutes")]
    [InlineData("0 */15 * * * *", "every 15 minutes")]
    [InlineData("*/7 * * * *", "every 7 minutes from each full hour")]
    [InlineData("*/5 9-17 * * 1-5", "every 5 minutes from 09:00 to 17:59 on weekdays")]
    [InlineData("0 * * * *", "every hour")]
    [InlineData("30 * * * *", "at 30 minutes past every hour")]
    [InlineData("0,30 * * * *", "at 0 and 30 minutes past every hour")]
    [InlineData("0 */2 * * *", "every 2 hours")]
    [InlineData("15 */2 * * *", "at 15 minutes past the hour, every 2 hours")]
    [InlineData("0 9-17 * * *", "every hour from 09:00 to 17:00")]
    // Daily
    [InlineData("0 2 * * *", "at 02:00 every day")]
    [InlineData("0 0 2 ? * ?", "at 02:00 every day")]
    [InlineData("30 0 2 * * *", "at 02:00:30 every day")]
    [InlineData("0 9,17 * * *", "at 09:00 and 17:00 every day")]
    [InlineData("0,30 9 * * *", "at 09:00 and 09:30 every day")]
    [InlineData("0 2 * * * ", "at 02:00 every day")]
    [InlineData("0 2 * 1,7 *", "at 02:00 every day in January and July")]
    // Weekly
    [InlineData("0 2 * * 1-5", "at 02:00 on weekdays")]
    [InlineData("0 2 * * MON-FRI", "at 02:00 on weekdays")]
    [InlineData("0 2 * * 6,0", "at 02:00 at weekends")]
    [InlineData("0 2 * * 6-7", "at 02:00 at weekends")]
    [InlineData("0 9 * * mon", "at 09:00 on Mondays")]
    [InlineData("0 9 * * 1,4", "at 09:00 on Mondays and Thursdays")]
    [InlineData("0 9 * * 0-6", "at 09:00 every day")]
    [InlineData("0 9 * 12 5", "at 09:00 on Fridays in December")]
    // Monthly and yearly
    [InlineData("0 0 1 * *", "at 00:00 on the 1st of every month")]
    [InlineData("0 0 1,15 * *", "at 00:00 on the 1st and 15th of every month")]
    [InlineData("0 0 2,3,11,12,13,22,23 * *", "at 00:00 on the 2nd, 3rd, 11th, 12th, 13th, 22nd and 23rd of every month")]
    [InlineData("0 0 L * *", "at 00:00 on the last day of every month")]
    [InlineData("0 0 LW * *", "at 00:00 on the last weekday of every month")]
    [InlineData("0 0 15W * *", "at 00:00 on the weekday nearest the 15th of every month")]
    [InlineData("0 0 1 JAN *", "at 00:00 on the 1st of January")]
    [InlineData("0 8 * * 5L", "at 08:00 on the last Friday of every month")]
    [InlineData("0 8 * * 1#2", "at 08:00 on the second Monday of every month")]
    // Macros
    [InlineData("@hourly", "every hour")]
    [InlineData("@daily", "at 00:00 every day")]
    [InlineData("@weekly", "at 00:00 on Sundays")]
    [InlineData("@yearly", "at 00:00 on the 1st of January")]
    // Too special, or none at all
    [InlineData("0 0 13 * 5", "0 0 13 * 5")]
    [InlineData("1-5/2 * * * *", "1-5/2 * * * *")]
    [InlineData("0 9,11,13,15,17,19,21 * * *", "0 9,11,13,15,17,19,21 * * *")]
    [InlineData("99 * * * *", "99 * * * *")]
    [InlineData("*/0 * * * *", "*/0 * * * *")]
    [InlineData("nonsense", "nonsense")]
    [InlineData("@never", "@never")]
    [InlineData("", "")]
    public void An_expression_in_words(string cron, string words) => CronWords.Say(cron).ShouldBe(words);

    [Fact]
    public void Whatever_stands_there_is_said_or_given_back() =>
        Gen.OneOf("*", "?", "*/5", "0", "1-5", "1,2", "L", "W", "#", "5L", "1#2", "-", ",", "/", "MON", "99999999999").Array[0, 7].Select(fields => string.Join(' ', fields))
            .SampleSeeded(cron => CronWords.Say(cron).ShouldNotBeNull());
}
