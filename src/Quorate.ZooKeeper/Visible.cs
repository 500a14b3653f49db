using System.Runtime.CompilerServices;

// The watch table is judged against a naive one.
[assembly: InternalsVisibleTo("Quorate.ZooKeeper.Tests")]
