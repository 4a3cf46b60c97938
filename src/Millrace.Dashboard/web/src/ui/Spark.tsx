/** A row of small bars, oldest first. The words beside it carry the meaning. */
export function Spark({ values, name }: { values: number[]; name: string }) {
  const top = Math.max(...values, 1);
  const width = 4;
  return (
    <svg class="spark" viewBox={`0 0 ${values.length * width} 18`} preserveAspectRatio="none" role="img" aria-label={name}>
      {values.map((value, i) => {
        const height = value === 0 ? 1 : Math.max(2, (value / top) * 18);
        return <rect key={i} class={value === 0 ? "zero" : undefined} x={i * width} y={18 - height} width={width - 1} height={height} />;
      })}
    </svg>
  );
}
