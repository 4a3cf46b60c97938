// Most of a test's time is spent waiting for a database's disk, so a few more classes than processors run at a time.
[assembly: Xunit.v3.Parallelization(MaxThreads = 4)]
